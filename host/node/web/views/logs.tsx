/** The log, as it comes; filtered by level, module and text. */
import { useEffect, useRef, useState } from "preact/hooks";
import { clock } from "../format.js";
import { Empty, Panel } from "../parts/basic.js";
import { useLive } from "../store.js";
import type { LogLine } from "../types.js";

const levels = { 10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal" } as const;
export const levelName = (level: number): string => levels[level as keyof typeof levels] ?? String(level);

/** Fields beside those that have columns. */
function rest(line: LogLine): string {
  return Object.entries(line)
    .filter(([key]) => !["time", "level", "module", "msg"].includes(key))
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

export function Logs() {
  const lines = useLive((live) => live.lines);
  const [level, setLevel] = useState(20);
  const [module, setModule] = useState("");
  const [text, setText] = useState("");
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const modules = [...new Set(lines.map((line) => line.module).filter((name) => name !== undefined))].sort();
  const wanted = text.toLowerCase();
  const shown = lines.filter(
    (line) =>
      line.level >= level &&
      (module === "" || line.module === module) &&
      (wanted === "" || `${line.msg} ${rest(line)}`.toLowerCase().includes(wanted)),
  );
  useEffect(() => {
    if (follow && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [shown.length, follow]);
  return (
    <Panel title="Log" wide>
      <div class="bar">
        <label class="inline">
          Level{" "}
          <select value={String(level)} onChange={(event) => setLevel(Number(event.currentTarget.value))}>
            {[20, 30, 40, 50].map((each) => (
              <option key={each} value={String(each)}>
                {levelName(each)}
              </option>
            ))}
          </select>
        </label>
        <label class="inline">
          Module{" "}
          <select value={module} onChange={(event) => setModule(event.currentTarget.value)}>
            <option value="">all</option>
            {modules.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <input
          type="search"
          placeholder="text"
          aria-label="Filter by text"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <label class="inline">
          <input
            type="checkbox"
            checked={follow}
            onChange={(event) => setFollow(event.currentTarget.checked)}
          />{" "}
          follow
        </label>
      </div>
      {shown.length === 0 ? (
        <Empty title={lines.length === 0 ? "Nothing was logged yet." : "No line matches."} />
      ) : (
        <div class="log" ref={box} tabIndex={0} role="log" aria-label="Log lines" aria-live="off">
          {shown.slice(-500).map((line, i) => (
            <div key={`${line.time}-${i}`} class={`line level-${line.level}`}>
              <time>{clock(line.time)}</time> <b>{levelName(line.level)}</b>{" "}
              <span class="module">{line.module ?? ""}</span>{" "}
              <span class="text">
                {line.msg} <span class="muted">{rest(line)}</span>
              </span>
            </div>
          ))}
        </div>
      )}
    </Panel>
  );
}
