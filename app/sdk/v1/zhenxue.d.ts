/** Report one lesson to the service; see docs/sdk.md. */
export declare const VERSION: string;

export declare function start(options: Options): Lesson;

export interface Options {
  /** The media element, what holds it, a selector, or a function that finds it. */
  video: Element | string | (() => Element | null);
  /** The lesson, as your server calls it. */
  lesson: string;
  /** Address on your own server that opens the sitting, or a function that asks it. */
  lease: string | ((terms: Terms) => Promise<Response>);
  /** Where the service is; by default where this module came from. */
  service?: string;
  language?: "zh" | "en";
  /** Sentences of your own, by their names in texts.js. */
  texts?: Record<string, string>;
  resume?: boolean;
  hold?: boolean;
  pauseWhenHidden?: boolean;
  blockAhead?: boolean;
  notices?: boolean;
  on?: <Name extends keyof Told>(name: Name, detail: Told[Name]) => void;
}

/** What your server hands on to `POST /v1/sessions`, with the learner and the class. */
export interface Terms {
  session_id?: string;
  lesson_id: string;
  device_id: string;
  window_id: string;
  client: { user_agent: string; sdk_version: string; face_actions: string[]; questions: boolean };
  started_at_ms: number;
}

export type State = "waiting" | "opening" | "open" | "refused" | "stopped" | "over";

export interface Lesson {
  /** Undo everything; by default the sitting is closed too. Resolves when that was sent. */
  stop(how?: { close?: boolean; reason?: string }): Promise<void>;
  readonly state: State;
  readonly session: string | null;
  /** Events that the service has not acknowledged, oldest first. */
  readonly queue: ReadonlyArray<{ seq: number; type: string; at_ms: number; [field: string]: unknown }>;
}

export interface Told {
  waiting: { code?: "player_sealed" };
  opening: Record<string, never>;
  open: { session: string; position: number };
  refused: { status: number; code: string; body: Record<string, unknown> };
  stopped: { code: string };
  noted: { code: string; text: string; zh: string; en: string };
  offline: Record<string, never>;
  online: Record<string, never>;
  answered: { next_seq: number; rejected: unknown[] };
  asked: Record<string, unknown>;
  photo: { purpose: string; stored: boolean };
  camera_refused: Record<string, never>;
  over: Record<string, never>;
}
