/** Functions that can be invoked here. */
import { get } from "../api.js";
import { bytes, ms, number } from "../format.js";
import { Empty, Failure, Panel, Table } from "../parts/basic.js";
import { useLoaded } from "../store.js";
import type { Fn } from "../types.js";

export function Functions() {
  const { value, error } = useLoaded(() => get<{ functions: Fn[] }>("/functions"), [], 5000);
  return (
    <Panel title="Functions" wide>
      <Failure error={error} />
      {value !== undefined && value.functions.length === 0 ? (
        <Empty
          title="No function is deployed."
          command="tmc function build filter.ts -o filter.tmcf --sign KEY.pem && tmc node call function.deploy --input filter.tmcf"
        >
          <p>Build one from TypeScript and deploy it:</p>
        </Empty>
      ) : (
        <Table
          label="Functions"
          numeric={["Size", "Calls", "Failures", "Mean"]}
          head={[
            "Function",
            "Kind",
            "Input",
            "Output",
            "Imports",
            "Size",
            "Calls",
            "Failures",
            "Mean",
            "Signed by",
          ]}
        >
          {value?.functions.map((each) => (
            <tr key={`${each.name}@${each.version}`}>
              <th scope="row">
                {each.name}@{each.version}
              </th>
              <td>{each.kind}</td>
              <td>{each.input}</td>
              <td>{each.output}</td>
              <td>{each.imports.join(", ") || "none"}</td>
              <td class="num">{bytes(each.bytes)}</td>
              <td class="num">{number(each.calls)}</td>
              <td class={each.failures > 0 ? "num bad" : "num"}>{number(each.failures)}</td>
              <td class="num">{each.calls === 0 ? "–" : ms(each.meanUs / 1000)}</td>
              <td>{each.signedBy ?? "–"}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}
