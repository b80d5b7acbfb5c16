//! Invented servers talk to the SMTP client session; the shell of its tests checks every promise.
#![no_main]

#[path = "../../crates/smtp/tests/client_shell/mod.rs"]
mod client_shell;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    client_shell::drive(data);
});
