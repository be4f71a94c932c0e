//! The list behind a report: the net movement of each client, and if asked for every change inside and every transfer
//! from group to group. Each adds up to its own lines of the report, and opens down to events.

use super::attribution::{Piece, pieces};
use super::flows::{Change, changes};
use super::group::{GroupKey, Stated};
use super::movement::{Did, Ground, Moved, Span, Walk, events, standing};
use super::policy::Grain;
use super::report::{ChangeRow, MovementRow, Movements, TransferRow};
use super::run_rate::View;
use super::tags::{Course, reason, tags};
use super::{Question, Refusal};
use crate::book::Client;
use crate::money::Currency;
use crate::period::Period;
use crate::recurring::{Annual, Recurring};
use crate::timeline::Stamp;

/// What is listed, in order of the clients.
#[derive(Default)]
struct Lists {
    rows: Vec<MovementRow>,
    changes: Vec<ChangeRow>,
    transfers: Vec<TransferRow>,
}

/// What each client did over a period.
pub(crate) fn movements(question: &Question<'_>, period: Period) -> Result<Movements, Refusal> {
    let shared = question.shared()?;
    let ground = question.ground(&shared);
    let span = Span::new(period, question.as_of);
    let grouping = question.grouping(&shared, span.opening);
    let cut = question.cut();
    let by_change = question.options.grain == Grain::Change;
    let see =
        |lists: &mut Lists, client: &Client<'_>, views: &[(Currency, View<'_, '_>)], _: &View<'_, '_>| {
            let Lists { rows, changes, transfers } = lists;
            for (currency, view) in views {
                let told = Told { question, ground: &ground, client, view, currency: *currency };
                if let Some(stated) = cut {
                    let pieces = pieces(view, &client.state.profile, stated, &span, &ground)?;
                    for piece in &pieces {
                        let within = Some(piece.span.period);
                        rows.extend(told.net(&piece.moved, &piece.span, Some(&piece.key), within)?);
                        if by_change {
                            changes.extend(told.changes(&piece.span, Some(&piece.key))?);
                        }
                    }
                    transfers.extend(told.transfers(&pieces, stated));
                } else if let Did::Moved(moved) = Walk::new(view, ground).over(&span)? {
                    let key = grouping.as_ref().map(|by| by.key(client, view, moved.grouped_at, &span));
                    let key = key.transpose()?;
                    rows.extend(told.net(moved, &span, key.as_ref(), None)?);
                    if by_change {
                        changes.extend(told.changes(&span, key.as_ref())?);
                    }
                }
            }
            Ok(())
        };
    let join = |before: &mut Lists, mut after: Lists| {
        before.rows.append(&mut after.rows);
        before.changes.append(&mut after.changes);
        before.transfers.append(&mut after.transfers);
    };
    let Lists { rows, changes, transfers } = question.gather(&shared, Lists::default, see, join)?;
    Ok(Movements {
        period: question.period(&span),
        as_of: question.as_of,
        settings: question.settings(),
        rows,
        changes: by_change.then_some(changes),
        transfers: cut.map(|_| transfers),
        rates: shared.rates.as_ref().map(|rates| rates.used(span.opening, span.closing)),
    })
}

/// What there is to tell of a client, in one currency or converted.
struct Told<'t, 'c, 's> {
    question: &'t Question<'t>,
    ground: &'t Ground<'t>,
    client: &'t Client<'t>,
    view: &'t View<'c, 's>,
    currency: Currency,
}

impl Told<'_, '_, '_> {
    fn line(&self, annual: Annual) -> Recurring {
        self.question.options.line(annual, self.currency)
    }

    /// The net movement over a span, if there is one.
    fn net(
        &self,
        moved: &Moved,
        span: &Span,
        key: Option<&GroupKey>,
        within: Option<Period>,
    ) -> Result<Option<MovementRow>, Refusal> {
        let Some(kind) = moved.kind else { return Ok(None) };
        let Moved { opening, closing, amount, fx, gap_days, ends, .. } = *moved;
        let (course, state, as_of) = (Course::of(kind), &self.client.state, self.question.as_of);
        Ok(Some(MovementRow {
            client: self.client.id.clone(),
            currency: self.currency,
            key: key.cloned(),
            within,
            kind,
            opening: self.line(opening),
            closing: self.line(closing + fx),
            amount: self.line(amount),
            fx: self.line(fx),
            gap_days,
            tags: tags(self.view, course, ends, state, span, self.ground)?,
            reason: reason(self.view, course, ends, state, as_of),
            events: events(self.view, moved, span, self.ground)?,
        }))
    }

    /// Every change inside a span, in order of time.
    fn changes(&self, span: &Span, key: Option<&GroupKey>) -> Result<Vec<ChangeRow>, Refusal> {
        let (state, as_of) = (&self.client.state, self.question.as_of);
        let row = |change: Change| -> Result<ChangeRow, Refusal> {
            let (course, ends) = (Course::of_flow(change.kind), change.ends(self.view));
            Ok(ChangeRow {
                client: self.client.id.clone(),
                currency: self.currency,
                key: key.cloned(),
                at: change.at,
                kind: change.kind,
                opening: self.line(change.before),
                closing: self.line(change.after),
                amount: self.line(change.amount()),
                tags: tags(self.view, course, ends, state, span, self.ground)?,
                reason: reason(self.view, course, ends, state, as_of),
                events: standing(self.view, ends, ends.0),
            })
        };
        changes(self.view, span, self.ground)?.into_iter().map(row).collect()
    }

    /// From which group to which the client went while it paid, in order of time.
    fn transfers(&self, pieces: &[Piece], stated: Stated<'_>) -> Vec<TransferRow> {
        let (mut rows, mut before) = (Vec::new(), None::<&Piece>);
        for piece in pieces {
            let at = piece.span.period.start;
            // Who paid just before came out of the piece before this one.
            if let Some(from) = before.filter(|_| piece.came && piece.moved.opening.is_positive()) {
                let stamps = stated.stamps(&self.client.state.profile, at);
                rows.push(TransferRow {
                    client: self.client.id.clone(),
                    currency: self.currency,
                    at,
                    from: from.key.clone(),
                    to: piece.key.clone(),
                    amount: self.line(piece.moved.opening),
                    events: stamps.last().copied().map(Stamp::event).into_iter().collect(),
                });
            }
            before = Some(piece);
        }
        rows
    }
}
