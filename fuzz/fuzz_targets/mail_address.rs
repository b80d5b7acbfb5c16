//! Any text as an address, a path, a domain: refused, or the same when written and read again.
#![no_main]

#[path = "../../crates/mail/tests/drive_address/mod.rs"]
mod drive_address;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drive_address::drive(data);
});
