"""What tests of several folders share and that is no test itself."""
