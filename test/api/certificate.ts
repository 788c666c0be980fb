// A key and a certificate for localhost, good for nothing but these tests; valid until the year 2126.
// They are kept here because not every machine has a program that makes them.

export const key = `
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYhNWKM5ceydPyKs0
YdwUEBfxu76YBippH1l5qjn5PNuhRANCAAQ2+2eLkmXb3fjgi4SSK8oH2GW3SROS
AoplqNcEKeIkLKpmJNHRDCFYhy2poR3VfRyLc6/sg/NzhPSeDll2Mkye
-----END PRIVATE KEY-----
`;

export const cert = `
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUKTS2gMmNWFn2hlSqfEDERB5VRtMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDA3NTIyMFoYDzIxMjYxMDMx
MDc1MjIwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ2+2eLkmXb3fjgi4SSK8oH2GW3SROSAoplqNcEKeIkLKpmJNHRDCFY
hy2poR3VfRyLc6/sg/NzhPSeDll2Mkyeo28wbTAdBgNVHQ4EFgQULJp85ch3AZsG
2VbeQ9nL6LJKkwQwHwYDVR0jBBgwFoAULJp85ch3AZsG2VbeQ9nL6LJKkwQwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhANagwh8QruWxAQMVdXaK9rJnHll5Rti6ejWMN54XgfXzAiA2
C42YGw1oG8H7bi+z4JuVgkZ+rddhWovPMzvD1rvGIQ==
-----END CERTIFICATE-----
`;
