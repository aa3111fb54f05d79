/** The access list of the bus in the words of other brokers: what nodes and their server may do there. Text only. */

/** An ACL file of Mosquitto. Names are those of certificates (`use_identity_as_username true`) or of passwords. */
export function mosquittoPolicy(server: string): string {
  const own = (rights: "read" | "write", kinds: readonly string[]): string[] =>
    kinds.map((kind) => `pattern ${rights} t1/${server}/%u/${kind}`);
  return [
    "# Access list of a tmc bus for Mosquitto: acl_file in mosquitto.conf, on listeners with",
    "#   allow_anonymous false",
    "#   require_certificate true",
    "#   use_identity_as_username true",
    "# (or with a password_file whose user names are the ids of the nodes).",
    "",
    `# ${server}, the Core Service`,
    `user ${server}`,
    `topic readwrite t1/${server}/#`,
    "",
    "# every node, its own topics",
    `pattern write t1/${server}/q/%u`,
    ...own("write", ["y", "b", "s", "e", "c"]),
    ...own("read", ["r", "x", "c"]),
    "",
  ].join("\n");
}

/**
 * Policies of AWS IoT Core, one for all nodes and one for the server. A node is a thing: its name is the node's id, which is
 * the client id, and its certificate is attached to it. Both have a last will, neither a persistent session.
 */
export function awsPolicy(
  server: string,
  { region = "REGION", account = "ACCOUNT" }: { readonly region?: string; readonly account?: string } = {},
): { readonly node: object; readonly server: object } {
  const arn = (kind: string, path: string): string => `arn:aws:iot:${region}:${account}:${kind}/${path}`;
  const name = "${iot:Connection.Thing.ThingName}";
  const withWill = { "ForAllValues:StringEquals": { "iot:ConnectAttributes": ["LastWill"] } };
  const attached = { Bool: { "iot:Connection.Thing.IsAttached": "true" } };
  const allow = (action: string | string[], resource: string[]): object => ({
    Effect: "Allow",
    Action: action,
    Resource: resource,
  });
  const of = (kind: string, kinds: string[]): string[] =>
    kinds.map((each) => arn(kind, `t1/${server}/${name}/${each}`));
  const policy = (statements: object[]): object => ({ Version: "2012-10-17", Statement: statements });
  return {
    node: policy([
      { ...allow("iot:Connect", [arn("client", name)]), Condition: { ...attached, ...withWill } },
      allow("iot:Publish", [
        arn("topic", `t1/${server}/q/${name}`),
        ...of("topic", ["y", "b", "s", "e", "c"]),
      ]),
      allow("iot:RetainPublish", of("topic", ["b", "s"])),
      allow("iot:Subscribe", of("topicfilter", ["r", "x", "c"])),
      allow("iot:Receive", of("topic", ["r", "x", "c"])),
    ]),
    server: policy([
      { ...allow("iot:Connect", [arn("client", server)]), Condition: withWill },
      allow(["iot:Publish", "iot:RetainPublish", "iot:Receive"], [arn("topic", `t1/${server}/*`)]),
      allow("iot:Subscribe", [arn("topicfilter", `t1/${server}/*`)]),
    ]),
  };
}
