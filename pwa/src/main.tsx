// Starts the app.

import { render } from 'preact';
import { App } from './app';
import { keepWatch } from './lock';
import { dress } from './look/appearance';
import { listenForOffer } from './screens/install';
import './style.css';
import { installWorker } from './update';

dress();
listenForOffer();
render(<App />, document.getElementById('app')!);
installWorker();
keepWatch();
