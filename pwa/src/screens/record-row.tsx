// One record in a list: what and where, who and when, and whether the school has it.

import { kindNamed, subtitleOf, titleOf, whenOf } from '../form/say';
import type { Delivery, ShownRecord } from '../local/overlay';
import { Icon, isIcon, type IconName } from '../look/icon';
import { nearDay } from '../look/words';
import type { SchoolAnswer } from '../wire';

const BADGES: Record<Delivery | 'two' | 'late', { state: string; icon: IconName; words: string }> = {
  waiting: { state: 'waiting', icon: 'waiting', words: 'Not sent' },
  sending: { state: 'sending', icon: 'sending', words: 'Sending' },
  sent: { state: 'sent', icon: 'sent', words: 'Sent' },
  needs: { state: 'needs', icon: 'needs', words: 'Needs you' },
  two: { state: 'needs', icon: 'two', words: 'Two answers' },
  late: { state: 'alarm', icon: 'alarm', words: 'Past its time' },
};

export const iconOf = (school: SchoolAnswer | undefined, kind: string): IconName => {
  const icon = kindNamed(school, kind)?.icon;
  return isIcon(icon) ? icon : 'note';
};

export function Badge({ of }: { of: keyof typeof BADGES }) {
  const { state, icon, words } = BADGES[of];
  return <span class="badge" data-state={state}><Icon name={icon} />{words}</span>;
}

export const isDisputed = (record: ShownRecord): boolean => Object.keys(record.disputes).length > 0;

export function RecordRow({ school, record, late = false }: { school: SchoolAnswer | undefined; record: ShownRecord; late?: boolean }) {
  const title = titleOf(school, record);
  const kind = kindNamed(school, record.kind)?.label ?? 'Record';
  const more = subtitleOf(school, record);
  const shown = late ? 'late' : isDisputed(record) ? 'two' : record.delivery;
  return (
    <a class="row" href={`/record/${record.id}`}>
      <span class="lead"><Icon name={iconOf(school, record.kind)} /></span>
      <span class="grow">
        <span class="line"><b class="grow">{title}</b>{(shown !== 'sent' || record.mine) && <Badge of={shown} />}</span>
        {more && <span class="meta">{more}</span>}
        <span class="meta num">{title === kind ? '' : `${kind} · `}{whenOf(school, record, nearDay)}{record.state === 'open' ? '' : ` · ${record.state}`}</span>
      </span>
    </a>
  );
}
