// The request as understood: every field with the words it was taken from, or how it was filled in.
export default function RequestCard() {
  const { title, fields = [], decision } = props;
  return (
    <section className="sw" data-card="request">
      <div className="sw-head"><h3>{title}</h3>
        <span className={'sw-badge ' + (fields.some((f) => f.open) ? 'sw-waiting' : 'sw-done')}>
          {fields.some((f) => f.open) ? 'questions are open' : 'understood'}</span></div>
      <table className="sw-table" style={{ marginTop: 10 }}><tbody>
        {fields.map((f) => (
          <tr key={f.name} data-field={f.name}>
            <td>{f.label}</td>
            <td>{f.value !== '' && <span>{f.value} </span>}
              {f.open ? <span className="sw-waiting">{f.value === '' ? 'missing' : 'please confirm'}</span>
                : <span className="sw-source">{f.source}</span>}</td>
          </tr>))}
      </tbody></table>
      {decision && <p className="sw-source" style={{ marginTop: 10 }}>{decision}</p>}
    </section>
  );
}
