//! How long clients stay: survival curves of the spells of a book, all together and by group, and whether groups differ.

use super::kaplan_meier::{Observation, RestrictedMean, SurvivalCurve, SurvivalQuantile};
use super::log_rank::LogRank;
use super::options::LifetimeOptions;
use super::spells::{ClientSpell, Spells};
use crate::id::ClientId;
use crate::revenue::GroupKey;
use crate::time::Instant;
use serde::Serialize;
use std::collections::BTreeMap;

/// How long clients stay, as of an instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lifetime {
    /// The instant of the question.
    pub as_of: Instant,
    /// From when on the log is complete; null in a book without events.
    pub data_start: Option<Instant>,
    /// `day`: the unit of all ages.
    pub unit: &'static str,
    /// The settings of the question.
    pub settings: LifetimeOptions,
    /// Spells that were over before the start of the data; in no figure.
    pub left_out: u64,
    /// Of all spells.
    pub total: LifetimeRow,
    /// With `group_by`: of each group, in order of keys, null last.
    pub groups: Option<Vec<LifetimeGroup>>,
    /// With two groups or more, and at most 64: whether they last alike.
    pub log_rank: Option<LogRank>,
}

/// How long the spells of one group last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LifetimeGroup {
    /// The group; null for none.
    pub key: GroupKey,
    /// The figures.
    #[serde(flatten)]
    pub row: LifetimeRow,
}

/// How long some spells last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LifetimeRow {
    /// Clients with a spell here.
    pub clients: u64,
    /// Spells that were over so lately that a renewal within the grace would bridge them; they count as ended.
    pub unsettled: u64,
    /// The days by which half have ended.
    pub median: SurvivalQuantile,
    /// The mean days up to the horizon; null where it lies past the last age seen.
    pub restricted_mean: Option<RestrictedMean>,
    /// Late spells came when nobody younger was left at risk: the curve is 0 from there on, whatever came after. State a later
    /// `data_start`, or look at ages from there on only.
    pub ran_empty: bool,
    /// The curve with its counts: `n` spells, of them `ended`, `censored`, come into sight `late`.
    #[serde(flatten)]
    pub curve: SurvivalCurve,
}

/// The spells of one group while they are gathered, in order of clients.
#[derive(Default)]
struct Gathered<'s> {
    clients: u64,
    last: Option<&'s ClientId>,
    unsettled: u64,
    observations: Vec<Observation>,
}

impl<'s> Gathered<'s> {
    fn add(&mut self, spell: &'s ClientSpell) {
        self.clients += u64::from(self.last != Some(&spell.client));
        self.last = Some(&spell.client);
        self.unsettled += u64::from(spell.unsettled);
        self.observations.push(spell.observation());
    }

    fn row(self, curve: SurvivalCurve, horizon: Option<f64>) -> LifetimeRow {
        LifetimeRow {
            clients: self.clients,
            unsettled: self.unsettled,
            median: curve.quantile(0.5),
            restricted_mean: horizon.and_then(|horizon| curve.restricted_mean(horizon)),
            ran_empty: curve.ran_empty(),
            curve,
        }
    }
}

impl Lifetime {
    /// The curves of some spells.
    pub(crate) fn of(spells: Spells) -> Self {
        let Spells { as_of, data_start, settings, left_out, spells } = spells;
        let mut all = Gathered::default();
        let mut groups: BTreeMap<&GroupKey, Gathered<'_>> = BTreeMap::new();
        let grouped = settings.revenue.group_by.is_some();
        for spell in &spells {
            all.add(spell);
            if grouped {
                groups.entry(&spell.key).or_default().add(spell);
            }
        }
        let curve = |gathered: &Gathered<'_>| SurvivalCurve::of(&gathered.observations, settings.bounds);
        let slices: Vec<&[Observation]> =
            groups.values().map(|group| group.observations.as_slice()).collect();
        let log_rank = LogRank::of(&slices, settings.weights);
        let curves: Vec<SurvivalCurve> = groups.values().map(curve).collect();
        let whole = curve(&all);
        // Means of different horizons cannot be compared: groups share the greatest that each was seen at.
        let seen = curves.iter().chain([&whole]).filter_map(SurvivalCurve::follow_up);
        let horizon = settings.horizon_days.map(f64::from).or_else(|| seen.min_by(f64::total_cmp));
        let rows = groups.into_iter().zip(curves);
        let rows = rows
            .map(|((key, group), curve)| LifetimeGroup { key: key.clone(), row: group.row(curve, horizon) });
        let groups = grouped.then(|| rows.collect());
        let total = all.row(whole, horizon);
        Self { as_of, data_start, unit: "day", settings, left_out, total, groups, log_rank }
    }
}
