//! Names of things: a type for each, so that a ticket can never be looked up as a client.
//!
//! Ids are compared byte for byte and never normalised. Those of up to 24 bytes live inside the value, without an
//! allocation of their own.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(CompactString);

        impl $name {
            /// Takes the text as it is. Limits on length are the door's business ([`crate::Event::from_json`]).
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(CompactString::new(text))
            }

            /// The text, byte for byte as it came in.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        // Sorted and hashed like the text, so that maps can be asked with a borrowed `&str`.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", self.0.as_str())
            }
        }
    )+};
}

ids! {
    /// The paying organisation: the `subject` of an event.
    ClientId,
    /// The `id` of an event; unique within its source.
    EventId,
    /// The `source` of an event: the system that produced it.
    SourceId,
    /// The name of a usage metric, such as `reports`.
    MetricName,
    /// A person at a client.
    UserId,
    /// A support ticket.
    TicketId,
    /// An incident: a disturbance of the service that a client felt.
    IncidentId,
    /// A subscription of a client.
    SubscriptionId,
    /// An invoice to a client.
    InvoiceId,
    /// A one-off purchase.
    ChargeId,
    /// A refund.
    RefundId,
    /// A payment plan (instalments).
    PaymentPlanId,
    /// A contact person at a client.
    ContactId,
    /// A milestone, such as `onboarded`.
    MilestoneName,
    /// Free text: a name, a topic, a plan, a reason.
    Text,
}

/// The identity of an event: its source and its id within that source.
///
/// Answers name the events behind them with this type. Two events with one identity are one event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventRef {
    /// The system that produced the event.
    pub source: SourceId,
    /// The id within that system.
    pub id: EventId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_compare_byte_for_byte() {
        assert!(ClientId::new("B") < ClientId::new("a"), "no case folding");
        assert!(EventId::new("e-2") > EventId::new("e-10"), "no numeric order");
        assert_ne!(ClientId::new("e\u{301}"), ClientId::new("\u{e9}"), "no Unicode normalisation");
    }

    #[test]
    fn an_identity_sorts_by_source_then_id() {
        let a = EventRef { source: "a".into(), id: "9".into() };
        let b = EventRef { source: "b".into(), id: "1".into() };
        assert!(a < b);
    }
}
