// Table below a chart that Vega-Lite or Plotly draws. `data` is described in data_table.py.

export default function (component) {
  const { data, setTriggerValue } = component;
  const root = rootOf(component);
  const first = (pick, word) => (pick === null ? word : [word, () => setTriggerValue("pick", { pick })]);
  const rows = () => data.rows.map(([pick, word, ...cells]) => [first(pick, word), ...cells]);
  keepPlace(root, () => root.replaceChildren(asTable(root, "all", data.name, data.columns, rows)));
}
