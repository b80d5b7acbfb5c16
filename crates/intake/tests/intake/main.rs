//! Doors and `explain` over recording stand-ins.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

mod accepted;
mod explained;
mod outside;
mod refused;
mod reported;
mod rig;
mod stand_ins;
