#![no_main]
peddlenet_fuzz::fuzz!(pass);
