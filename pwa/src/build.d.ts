/** The name of this build, filled in when it is built. */
declare const BUILD: string;
