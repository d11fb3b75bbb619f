// Nothing to call from Swift: this target only completes the C library of a release build.
#ifndef CMUSL_H
#define CMUSL_H
#endif
