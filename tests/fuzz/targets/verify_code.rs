#![no_main]
peddlenet_fuzz::fuzz!(verify_code);
