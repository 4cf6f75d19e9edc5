// How the widget looks: light and dark, from 320 px on, either writing direction.

export const STYLE = `
:host {
  --ink: #1d2433; --soft: #5b6477; --paper: #fff; --mist: #f3f5f9; --line: #dfe3ec;
  --accent: #2f5bd3; --accent-ink: #fff; --mine: #e6edff; --bad: #b3261e; --shade: 0 12px 40px rgb(20 30 60 / .22), 0 2px 8px rgb(20 30 60 / .12);
  all: initial; position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink); color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :host {
    --ink: #e8ebf2; --soft: #a3acc0; --paper: #1a1e28; --mist: #232936; --line: #353d4e;
    --accent: #8fabff; --accent-ink: #10182e; --mine: #2b3a66; --bad: #ffb4ab; --shade: 0 12px 40px rgb(0 0 0 / .6);
  }
}
*, *::before { box-sizing: border-box; }
[hidden] { display: none !important; }
button, input, textarea, select { font: inherit; color: inherit; }
button { cursor: pointer; border: 0; background: none; border-radius: 10px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.main { background: var(--accent); color: var(--accent-ink); padding: 9px 16px; font-weight: 600; }
.main:hover, .launch:hover { filter: brightness(1.08); }
.launch {
  display: flex; gap: 9px; align-items: center; padding: 12px 18px; border-radius: 999px;
  background: var(--accent); color: var(--accent-ink); font-weight: 600; box-shadow: var(--shade);
}
.launch svg { width: 20px; height: 20px; }
.unread { background: var(--accent-ink); color: var(--accent); border-radius: 999px; padding: 0 8px; font-size: 13px; }
.panel {
  display: flex; flex-direction: column; inline-size: 372px; block-size: min(600px, 100dvh - 40px); overflow: hidden;
  background: var(--paper); border: 1px solid var(--line); border-radius: 18px; box-shadow: var(--shade);
}
@media (max-width: 480px), (max-height: 420px) {
  .panel { position: fixed; inset: 0; inline-size: auto; block-size: auto; border: 0; border-radius: 0; }
}
@media (prefers-reduced-motion: no-preference) {
  .panel { animation: rise .16s ease-out; }
  @keyframes rise { from { opacity: 0; transform: translateY(8px); } }
  .dots i { animation: blink 1.2s infinite; }
  .dots i:nth-child(2) { animation-delay: .2s; } .dots i:nth-child(3) { animation-delay: .4s; }
  @keyframes blink { 40% { opacity: .25; } }
}
header { display: flex; align-items: center; gap: 4px; padding-block: 12px; padding-inline: 18px 10px; border-block-end: 1px solid var(--line); }
h2 { flex: 1; margin: 0; font-size: 16px; font-weight: 650; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
header button { padding: 6px 10px; color: var(--soft); font-size: 14px; }
header button:hover { background: var(--mist); color: var(--ink); }
.hide { display: flex; padding: 8px; } .hide svg { width: 16px; height: 16px; }
.log { flex: 1; min-block-size: 0; overflow-y: auto; overscroll-behavior: contain; padding: 14px 16px 10px; outline-offset: -3px; }
.hint { margin: auto 0; padding: 18px 24px; text-align: center; color: var(--soft); text-wrap: balance; }
.day { margin: 6px 0 12px; text-align: center; font-size: 12px; color: var(--soft); }
.line { display: flex; flex-direction: column; align-items: flex-start; max-inline-size: 86%; margin-block-start: 3px; }
.head { margin: 9px 4px 3px; font-size: 12px; color: var(--soft); max-inline-size: 100%; overflow-wrap: anywhere; } .head .who { font-weight: 600; margin-inline-end: 4px; }
.text { margin: 0; padding: 8px 12px; border-radius: 14px; border-end-start-radius: 4px; background: var(--mist); white-space: pre-wrap; overflow-wrap: anywhere; max-inline-size: 100%; }
.line.mine { align-items: flex-end; margin-inline-start: auto; }
.mine .text { background: var(--mine); border-end-start-radius: 14px; border-end-end-radius: 4px; }
.line.desk { align-items: center; max-inline-size: 100%; margin-block: 12px 4px; }
.desk .text { background: none; padding: 0 12px; font-size: 13px; color: var(--soft); text-align: center; }
.state { margin: 2px 4px 0; font-size: 12px; color: var(--soft); }
.unsent .text { opacity: .6; }
.failed .state { color: var(--bad); }
.failed button, .unsent button { padding: 2px 8px; font-size: 12.5px; color: var(--accent); text-decoration: underline; }
.text a { color: inherit; text-decoration-thickness: 1px; text-underline-offset: 2px; }
.typing { display: flex; gap: 8px; align-items: center; min-block-size: 22px; margin: 0; padding: 0 18px 4px; font-size: 13px; color: var(--soft); }
.dots { display: inline-flex; gap: 3px; } .dots i { inline-size: 5px; block-size: 5px; border-radius: 50%; background: currentColor; }
.status { margin: 0; padding: 0 18px; font-size: 13.5px; color: var(--soft); text-wrap: pretty; }
.status:not(:empty) { padding-block: 8px; background: var(--mist); border-block-start: 1px solid var(--line); }
form { display: flex; flex-direction: column; gap: 8px; padding: 12px; border-block-start: 1px solid var(--line); }
label { display: flex; flex-direction: column; gap: 4px; font-size: 13px; color: var(--soft); }
input, textarea, select {
  inline-size: 100%; padding: 9px 12px; font-size: 16px; line-height: 1.4; color: var(--ink); background: var(--paper);
  border: 1px solid var(--line); border-radius: 10px; resize: none;
}
input:focus, textarea:focus, select:focus { outline: 2px solid var(--accent); outline-offset: -1px; border-color: transparent; }
::placeholder { color: var(--soft); opacity: 1; }
textarea { field-sizing: content; min-block-size: 43px; max-block-size: 9.5em; overflow-y: auto; }
.fresh textarea { min-block-size: 5.2em; }
.row { display: flex; gap: 8px; align-items: flex-end; } .row label { flex: 1; min-inline-size: 0; }
.fresh .row { flex-direction: column; align-items: stretch; } .fresh .row label { flex: none; }
.talk .caption { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
.row .main { block-size: 43px; } .clip { padding: 10px 4px; color: var(--soft); } .clip svg { inline-size: 22px; display: block; }
progress { inline-size: 140px; }
.count { font-size: 12.5px; color: var(--soft); } .count.over { color: var(--bad); font-weight: 600; }
.anew { margin: 0 12px 12px; padding: 9px 16px; font-weight: 600; color: var(--accent); border: 1px solid var(--line); }
.anew:hover { background: var(--mist); } form[hidden] + .anew { margin-block-start: 12px; }
.sr { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.fresh { overflow-y: auto; min-block-size: 140px; } .fresh > * { flex: none; } header, .status, .panel > .anew { flex: none; } .hint { min-block-size: 0; overflow: hidden; }
.questions { display: flex; flex-direction: column; gap: 8px; }
.questions:empty { display: none; }
.found, .aside { display: flex; flex-direction: column; gap: 8px; padding: 12px; border-block-start: 1px solid var(--line); overflow-y: auto; max-block-size: 60%; }
.found p { margin: 0; } .found details { padding: 8px 12px; background: var(--mist); border-radius: 10px; } .found summary { font-weight: 600; cursor: pointer; } .found details p { margin-block: 6px 2px; font-size: 14px; white-space: pre-wrap; }
.found .anew, .aside .anew { margin: 0; padding: 7px 14px; } .found a { color: var(--accent); font-size: 14px; }
.aside form { padding: 0; border: 0; } fieldset { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 0; padding: 0; border: 0; } legend { padding: 0 0 4px; font-size: 13px; color: var(--soft); }
.star { flex-direction: row; align-items: center; font-size: 15px; } .star input { inline-size: auto; }
@media print { :host { display: none; } }
@media (forced-colors: active) { .main, .launch, .text, .anew { border: 1px solid; } }
`
