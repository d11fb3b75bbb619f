// What swoci-init has instead of a C library: its entry, the memory functions that the compiler calls, and an arena.
#ifndef CINIT_H
#define CINIT_H

// Gives the pages of the set-up's code and data back to the kernel; nothing that was allocated is there afterwards. Code comes back
// from the program's file when it runs again.
void ci_release_memory(void);

// Starts a thread of this process on a stack of its own, given by its upper end. The function must not return.
// A negative result is an error number.
long ci_start_thread(void *stack, void (*function)(void *), void *argument);

// A number that two threads share: what was written before it was set is seen by who sees it set.
static inline int ci_load(const int *number) { return __atomic_load_n(number, __ATOMIC_ACQUIRE); }
static inline void ci_store(int *number, int value) { __atomic_store_n(number, value, __ATOMIC_RELEASE); }

// Tells the processor that the thread waits in a loop.
static inline void ci_relax(void) {
#if defined(__x86_64__)
    __asm__ volatile("pause");
#else
    __asm__ volatile("yield");
#endif
}

#endif
