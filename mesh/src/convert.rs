//! Between the signed forms of `wire` and the rows of `store`.

use peddlenet_store::{EventKey, StoredEvent, StoredRecord};
use peddlenet_wire::{Signature, SignedEvent, SignedRecord, WireError};

/// The row of an event: header and signature together, the body apart, so that it can go alone.
pub(crate) fn to_row(event: &SignedEvent, hops: u8) -> StoredEvent {
    let h = event.header();
    StoredEvent {
        key: EventKey {
            room: h.room,
            author: h.author,
            stream: h.stream,
            seq: h.seq,
            hash: event.hash(),
        },
        clock: h.clock,
        hops,
        header: [event.header_bytes(), event.signature().as_ref()].concat(),
        body: event.body().map(<[u8]>::to_vec),
    }
}

/// The event of a row. An error means that the disk changed what was written.
pub(crate) fn from_row(row: StoredEvent) -> Result<(SignedEvent, u8), WireError> {
    let mut header = row.header;
    let at = header.len().saturating_sub(Signature::LEN);
    let signature =
        Signature::try_from(header.split_off(at).as_slice()).map_err(|_| WireError::Malformed {
            what: "stored event",
            why: "no signature".into(),
        })?;
    Ok((
        SignedEvent::from_parts(header, signature, row.body)?,
        row.hops,
    ))
}

/// Rows that read back well; damaged ones are left out and logged, and fetched again by sync.
pub(crate) fn from_rows(rows: Vec<StoredEvent>) -> Vec<(SignedEvent, u8)> {
    let read = |row| {
        from_row(row)
            .inspect_err(|e| tracing::error!(error = %e, "a stored event is damaged"))
            .ok()
    };
    rows.into_iter().filter_map(read).collect()
}

/// The row of a record.
pub(crate) fn to_record_row(record: &SignedRecord) -> StoredRecord {
    let h = record.header();
    StoredRecord {
        room: h.room,
        kind: h.kind,
        author: h.author,
        clock: h.clock,
        bytes: record.to_bytes(),
    }
}
