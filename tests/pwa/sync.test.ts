import { expect, test } from 'vitest';
import { Phone } from './phone';
import { School } from './school';
test('what was written reaches the school, once', async () => {
  const school = new School();
  const phone = await Phone.of(school);
  const edit = await phone.write({ category: 'defiance' });
  expect(await phone.waiting()).toHaveLength(1);
  const ended = await phone.sync();
  expect(ended.trouble).toBeNull();
  expect(await phone.waiting()).toHaveLength(0);
  expect([...school.edits.keys()]).toEqual([edit.id]);
  expect((await phone.records())[0]!.body).toEqual({ category: 'defiance' });
});
