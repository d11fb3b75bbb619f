// libseccomp, which turns system call names and conditions into a BPF program.
#include <seccomp.h>
