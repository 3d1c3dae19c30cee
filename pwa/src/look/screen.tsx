// The frame of every screen: strip, bar, main, dock.

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { lockNow } from '../lock';
import { useMe, useSchool } from '../screens/world';
import { back } from './address';
import { GoneBanner } from './gone';
import { Icon } from './icon';
import { Strip } from './strip';
import { Toast } from './toast';
import { UpdateBanner } from './update-banner';

type Props = {
  title: string;
  tab?: string; // what the browser may remember the page by, where the title may name somebody: it keeps that in the clear
  meta?: ComponentChildren;
  home?: boolean; // the first screen: there is nothing to go back to
  upTo?: string; // where Back goes when the app was opened here
  taps?: ComponentChildren; // at most two
  dock?: ComponentChildren;
  pair?: boolean; // two buttons side by side in the dock
  drafting?: boolean;
  close?: boolean; // groups closer together
  children: ComponentChildren;
};

export function Screen({ title, tab = title, meta, home = false, upTo = '/', taps, dock, pair = false, drafting = false, close = false, children }: Props) {
  const school = useSchool();
  const me = useMe();
  useEffect(() => {
    document.title = `${tab} · Lanyard`;
  }, [tab]);
  return (
    <div class="phone">
      <header>
        <div class="top">
          <Strip drafting={drafting} />
          {me && <button type="button" class="tap lock" aria-label="Lock now" onClick={() => void lockNow()}><Icon name="lock" /></button>}
        </div>
        <UpdateBanner />
        {me && <GoneBanner />}
        {school?.school.is_demo && <p class="demo">Demo school: nobody here is real</p>}
        <div class="bar">
          {!home && <a class="tap" href={upTo} aria-label="Back" onClick={(event) => { event.preventDefault(); back(upTo); }}><Icon name="back" /></a>}
          <div class="grow">
            <h1 id="title" tabIndex={-1}>{title}</h1>
            {meta && <p class="meta num">{meta}</p>}
          </div>
          {taps}
        </div>
      </header>
      <main class={close ? 'close' : ''}>{children}</main>
      <footer class="foot">
        <Toast />
        {dock && <div class={pair ? 'dock pair' : 'dock'}>{dock}</div>}
      </footer>
    </div>
  );
}
