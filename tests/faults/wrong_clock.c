/* Loaded before libc: whoever asks for the time of day gets it moved by WRONG_CLOCK seconds; steady clocks stay right. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long by(void) {
  const char *said = getenv("WRONG_CLOCK");
  return said ? atol(said) : 0;
}

int clock_gettime(clockid_t which, struct timespec *told) {
  static int (*right)(clockid_t, struct timespec *);
  if (!right) right = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = right(which, told);
  if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) told->tv_sec += by();
  return failed;
}

time_t time(time_t *told) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (told) *told = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *told, void *zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  told->tv_sec = now.tv_sec;
  told->tv_usec = now.tv_nsec / 1000;
  return 0;
}
