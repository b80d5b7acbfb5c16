//! Invented clients talk to the SMTP server session; the shell of its tests checks every promise.
#![no_main]

#[path = "../../crates/smtp/tests/shell/mod.rs"]
mod shell;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    shell::drive(data);
});
