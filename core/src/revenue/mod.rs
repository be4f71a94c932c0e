//! What the book shows: revenue.
