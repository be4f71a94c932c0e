//! The currency a model speaks in, and the rates at which it values the others.

use crate::exchange::{self, Rate, Rates};
use crate::money::Currency;
use crate::signal::params::{Faults, Object, found};
use crate::zone::Zone;

/// A reporting currency and its rates.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Valuation {
    currency: Currency,
    rates: Vec<Rate>,
}

impl Valuation {
    /// The members `currency` and `rates`; the inner `None` where there is neither, the outer one for a fault.
    pub(crate) fn read(object: &mut Object<'_>, faults: &mut Faults) -> Option<Option<Self>> {
        let before = faults.count();
        let currency: Option<Currency> = object.optional("currency", faults);
        let stated = object.has("currency");
        let path = object.path("rates");
        let given = object.value("rates");
        // From the text, as the options of a report are read.
        let rates = match given.map(|rates| exchange::read(&rates.to_string())) {
            Some(Err(wrong)) => {
                for fault in wrong {
                    let shown = serde_json::from_str(&fault.found)
                        .map_or_else(|_| fault.found.clone(), |v| found(&v));
                    faults.add(
                        format!("{path}{}", fault.path),
                        format!("must be {}, found {shown}", fault.expected),
                    );
                }
                Vec::new()
            }
            Some(Ok(rates)) => rates,
            None => Vec::new(),
        };
        if let Some((index, rate)) = currency.and_then(|currency| exchange::against_itself(currency, &rates))
        {
            let expected = format!("must be 1 for {}, which is the model's currency", rate.currency);
            faults.add(format!("{path}[{index}].rate"), format!("{expected}, found `{}`", rate.rate));
        }
        if given.is_some() && !stated {
            faults.add(object.path("currency"), "is missing, it must be the currency that the rates are for");
        }
        (faults.count() == before).then(|| currency.map(|currency| Self { currency, rates }))
    }

    /// The rates in order, by the calendar of a zone.
    pub(crate) fn table(&self, zone: &Zone) -> Rates {
        Rates::new(self.currency, &self.rates, zone)
    }
}
