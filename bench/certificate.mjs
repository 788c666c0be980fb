// A key and a certificate for localhost, good for nothing but the benchmark's https servers; valid
// until the year 2126. They are kept here because not every machine has a program that makes them.

const key = `
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgch+gS2V/5rl1V2kI
HbMVC5byl8gYHj4JTbg49xeplKyhRANCAARnnDh/xoGstkPr7AsLzQJvF5yg+3nA
XfmilMVoIMitTXEIXkL3RiTHk84idZ6v7UVv3APiFt7tuUeBJ31qDlC2
-----END PRIVATE KEY-----
`;

const cert = `
-----BEGIN CERTIFICATE-----
MIIBgDCCASWgAwIBAgIUeOOGcrdlpXSK+lCd2YfyPesds9EwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE0MzEwMVoYDzIxMjYxMDMx
MTQzMTAxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARnnDh/xoGstkPr7AsLzQJvF5yg+3nAXfmilMVoIMitTXEIXkL3RiTH
k84idZ6v7UVv3APiFt7tuUeBJ31qDlC2o1MwUTAdBgNVHQ4EFgQU/j8C4aeyb6k/
mgV8FB9GIbc1xygwHwYDVR0jBBgwFoAU/j8C4aeyb6k/mgV8FB9GIbc1xygwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAqaGNRxaYepwKKZUpPOi+
RCIvq2Z9t+KT5q4w0Y48legCIQCbzPMoCTmIsjWEvLGcmb/RNdI+MQ7I9FNlIGQ5
N9c8WQ==
-----END CERTIFICATE-----
`;

/** As the options of tls.createServer() name them. */
export const certificate = { key, cert };
