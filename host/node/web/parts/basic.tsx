/** Small pieces that every view uses: states, tiles, empty states, errors, bars. */
import type { ComponentChildren } from "preact";
import { messageOf } from "../api.js";

type Tone = "ok" | "warn" | "bad" | "idle" | "accent";

/** A state in words, with a dot whose shape differs too: never colour alone. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        {tone === "idle" ? (
          <circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" stroke-width="1.5" />
        ) : tone === "bad" ? (
          <path d="M1.5 1.5l7 7M8.5 1.5l-7 7" stroke="currentColor" stroke-width="2" />
        ) : tone === "warn" ? (
          <path d="M5 .8 9.6 9H.4z" fill="currentColor" />
        ) : (
          <circle cx="5" cy="5" r="4" fill="currentColor" />
        )}
      </svg>
      {children}
    </span>
  );
}

export function Tile({
  label,
  value,
  note,
}: {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
}) {
  return (
    <div class="tile">
      <dt>{label}</dt>
      <dd>
        {value}
        {note === undefined ? null : <small>{note}</small>}
      </dd>
    </div>
  );
}

/** Nothing is there yet: what it would be, and the command that makes some. */
export function Empty({
  title,
  command,
  children,
}: {
  title: string;
  command?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
      {command === undefined ? null : (
        <p>
          <code class="command">{command}</code>
        </p>
      )}
    </div>
  );
}

export function Failure({ error }: { error: unknown }) {
  return error === undefined ? null : (
    <p class="failure" role="alert">
      {messageOf(error)}
    </p>
  );
}

/** Shares of a whole, with their names and numbers. */
export function Shares({ label, counts }: { label: string; counts: Readonly<Record<string, number>> }) {
  const entries = Object.entries(counts).filter(([, n]) => n > 0);
  const total = entries.reduce((sum, [, n]) => sum + n, 0);
  if (total === 0) return null;
  return (
    <figure class="shares">
      <figcaption>{label}</figcaption>
      <ul>
        {entries
          .sort((a, b) => b[1] - a[1])
          .slice(0, 12)
          .map(([name, n], i) => (
            <li key={name}>
              <span class="share-name">{name === "" ? "without" : name}</span>
              <span class="share-bar">
                <span class={`fill series-${i % 6}`} style={{ width: `${(100 * n) / total}%` }} />
              </span>
              <span class="num">{n}</span>
            </li>
          ))}
      </ul>
    </figure>
  );
}

export function Progress({ value, label }: { value: number; label: string }) {
  const percent = Math.round(value * 100);
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={{ width: `${percent}%` }} />
    </div>
  );
}

/** A card with a heading. */
export function Panel({
  title,
  actions,
  children,
  wide,
}: {
  title: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
  wide?: boolean;
}) {
  return (
    <section class={wide === true ? "panel wide" : "panel"}>
      <header>
        <h2>{title}</h2>
        {actions === undefined ? null : <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** A table that scrolls in itself on narrow screens, never the page. `numeric`: columns that stand at the right. */
export function Table({
  label,
  head,
  numeric = [],
  children,
}: {
  label: string;
  head: string[];
  numeric?: readonly string[];
  children: ComponentChildren;
}) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th scope="col" key={name} class={numeric.includes(name) ? "num" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
