//! Rows of tables taken in by several threads, each those of its own clients.
//!
//! What a client becomes depends on its own events alone, but for who was erased, merged or taken back. So a book is shared out by
//! client, each part goes through all rows and takes in those that are of its clients, and the parts become one again: nothing is
//! handed from thread to thread but columns. An identity is of the whole book, so who keeps identities takes rows in one after the other.

use super::fold::Intake;
use super::table::unreadable;
use super::{Applied, Engine};
use crate::book::Book;
use crate::chunks::threads;
use crate::error::TableError;
use crate::event::EventKind;
use crate::lanes::show_each;
use crate::ledger::Ledger;
use crate::settings::Dedupe;
use crate::share::Share;
use crate::table::{RowShards, TableReader};
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Fewer rows are not worth waking threads for.
const FEWEST: u64 = 1 << 13;
/// So many rows are shown to the threads together.
const ROWS: usize = 1 << 14;
/// So many rows are taken in for one type of event and then for the next, where a table tells of several: their clients are still
/// near. As many as one thread reads at a time: which of two events is one too many depends on their order.
const ROWS_AGAIN: usize = 1 << 11;

impl Engine {
    /// Whether so many rows are to be taken in by several threads, each those of its clients.
    pub(super) fn may_take_side_by_side(&self, readers: &[TableReader], rows: u64) -> bool {
        // Whatever these say of one client is heard of by another.
        let apart =
            |kind| !matches!(kind, EventKind::ClientErased | EventKind::MergedInto | EventKind::Retracted);
        threads() > 1
            && self.settings.dedupe == Dedupe::Upstream
            && rows >= FEWEST
            && readers.iter().all(|reader| apart(reader.kind()))
            && self.book.may_be_shared_out(rows)
    }

    /// Takes in the rows of a table as [`Engine::apply_table`] does, by as many threads as there are.
    pub(super) fn take_side_by_side(
        &mut self,
        readers: &[TableReader],
        table: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    ) -> Result<Vec<Applied>, TableError> {
        let shares = Share::of_all(threads());
        let mut parts = Parts::of(self, &shares);
        let mut workers = parts.workers(readers);
        let mut damaged = None;
        let good = table.map_while(|batch| batch.map_err(|error| damaged = Some(unreadable(error))).ok());
        // Rows before those that nobody can read are taken in by all.
        let failed = AtomicBool::new(false);
        let good = good.take_while(|_| !failed.load(Ordering::Relaxed));
        let good = good.flat_map(some_at_a_time).map(|batch| Dealt::of(batch, readers));
        show_each(good.map(Some).chain([None]), &mut workers, |worker, batch| match batch {
            Some(batch) => {
                worker.take_in(batch);
                failed.fetch_or(worker.failed.is_some(), Ordering::Relaxed);
            }
            None => worker.intake.fold_usage(),
        });
        if let Some(error) = workers.iter_mut().find_map(|worker| worker.failed.take()).or(damaged) {
            return Err(error);
        }
        let mut all = vec![Applied::default(); readers.len()];
        for worker in workers {
            for ((applied, part), reader) in all.iter_mut().zip(worker.all).zip(worker.readers) {
                let part = Applied { skipped: reader.skipped, ..part };
                *applied = std::mem::take(applied).join(part);
            }
        }
        Ok(all)
    }
}

/// An engine whose clients are shared out. However it ends, the engine has them all again.
struct Parts<'e> {
    whole: &'e mut Engine,
    parts: Vec<(Share, Engine)>,
}

impl<'e> Parts<'e> {
    fn of(whole: &'e mut Engine, shares: &[Share]) -> Self {
        let books = whole.book.share_out(shares);
        let part = |book: Book| Engine {
            settings: whole.settings.clone(),
            zone: whole.zone.clone(),
            zone_data: whole.zone_data.clone(),
            sealed: whole.sealed,
            ledger: Ledger::default(),
            book,
        };
        let parts = shares.iter().cloned().zip(books.into_iter().map(part)).collect();
        Self { whole, parts }
    }

    fn workers(&mut self, readers: &[TableReader]) -> Vec<Worker<'_>> {
        let worker = |(share, engine)| Worker {
            share,
            readers: readers.to_vec(),
            all: vec![Applied::default(); readers.len()],
            intake: Engine::intake(engine, false),
            failed: None,
        };
        self.parts.iter_mut().map(|(share, engine)| worker((&*share, engine))).collect()
    }
}

impl Drop for Parts<'_> {
    fn drop(&mut self) {
        let parts = std::mem::take(&mut self.parts).into_iter();
        self.whole.book.take_back(parts.map(|(share, engine)| (share, engine.book)));
    }
}

/// A batch, and for each reader whose its rows are.
struct Dealt {
    batch: RecordBatch,
    shards: Vec<Arc<RowShards>>,
}

impl Dealt {
    fn of(batch: RecordBatch, readers: &[TableReader]) -> Self {
        let mut shards: Vec<Arc<RowShards>> = Vec::with_capacity(readers.len());
        for (number, reader) in readers.iter().enumerate() {
            // Mostly all tell of the same client.
            let same = readers.iter().take(number).position(|other| other.names_client_as(reader));
            let known = same.and_then(|same| shards.get(same)).cloned();
            shards.push(known.unwrap_or_else(|| Arc::new(RowShards::of(reader, &batch))));
        }
        Self { batch, shards }
    }
}

/// A table may come as one batch.
fn some_at_a_time(batch: RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let rows = batch.num_rows();
    (0..rows).step_by(ROWS).map(move |from| batch.slice(from, ROWS.min(rows - from)))
}

/// Who takes in the rows of some clients.
struct Worker<'p> {
    share: &'p Share,
    readers: Vec<TableReader>,
    all: Vec<Applied>,
    intake: Intake<'p>,
    failed: Option<TableError>,
}

impl Worker<'_> {
    /// Takes in the rows that are of its clients, unless it failed before.
    fn take_in(&mut self, Dealt { batch, shards }: &Dealt) {
        let Self { share, readers, all, intake, failed } = self;
        let rows = if failed.is_some() { 0 } else { batch.num_rows() };
        let so_many = if readers.len() > 1 { ROWS_AGAIN } else { rows };
        for from in (0..rows).step_by(so_many.max(1)) {
            let some = from..rows.min(from + so_many);
            let own =
                |reader| shards.get(reader).map(|shards: &Arc<RowShards>| shards.own(share, some.clone()));
            let batch = batch.slice(from, some.len());
            if let Err(error) = intake.take_in_batch(&batch, readers, all, own) {
                *failed = Some(error);
                return;
            }
        }
    }
}
