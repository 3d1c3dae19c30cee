// An address that no screen stands behind.

import { Icon } from '../look/icon';
import { Screen } from '../look/screen';

export function NothingHere() {
  return (
    <Screen title="Nothing here">
      <div class="card empty">
        <Icon name="search" />
        <h2>There is no such page</h2>
        <p class="meta">Nothing that you wrote is lost.</p>
        <a class="button" href="/">Now</a>
      </div>
    </Screen>
  );
}
