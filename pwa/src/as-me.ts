// Asking the school as whoever has unlocked this phone: it refuses where somebody else has signed in here since.

import { mine } from './local/session';
import { setting } from './local/stores';
import { ask, type Ask } from './school';

export const askAsMe: Ask = async (path, question) => await ask(path, { ...question, phone: await mine().reading(['settings'], (tx) => setting(tx, 'session_phone')) });
