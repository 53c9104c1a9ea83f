#include "clinux_log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum state { IDLE, SUBMITTED, DONE, ENDING };

struct clinux_appender {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    enum state state;
    int event; /* eventfd */
    int fd;
    const void *bytes;
    size_t length;
    int64_t size;
    int sync;
    int result;
    int is_torn;
};

static void *work(void *argument) {
    struct clinux_appender *appender = argument;
    pthread_mutex_lock(&appender->lock);
    while (appender->state != ENDING) {
        if (appender->state != SUBMITTED) {
            pthread_cond_wait(&appender->changed, &appender->lock);
            continue;
        }
        pthread_mutex_unlock(&appender->lock);
        int is_torn;
        int result = clinux_append(appender->fd, appender->bytes, appender->length, appender->size, appender->sync,
                                   &is_torn);
        pthread_mutex_lock(&appender->lock);
        appender->result = result;
        appender->is_torn = is_torn;
        if (appender->state == SUBMITTED)
            appender->state = DONE;
        eventfd_write(appender->event, 1);
    }
    pthread_mutex_unlock(&appender->lock);
    return NULL;
}

/// All signals are the event loop's.
static int start_thread(struct clinux_appender *appender) {
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    // It calls nothing deep.
    pthread_attr_setstacksize(&attributes, 64 << 10);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&appender->thread, &attributes, work, appender);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

struct clinux_appender *clinux_appender_start(int *error) {
    struct clinux_appender *appender = calloc(1, sizeof *appender);
    *error = -ENOMEM;
    if (appender == NULL)
        return NULL;
    pthread_mutex_init(&appender->lock, NULL);
    pthread_cond_init(&appender->changed, NULL);
    appender->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *error = appender->event < 0 ? -errno : start_thread(appender);
    if (*error == 0)
        return appender;
    if (appender->event >= 0)
        close(appender->event);
    free(appender);
    return NULL;
}

int clinux_appender_event(const struct clinux_appender *appender) {
    return appender->event;
}

void clinux_appender_submit(struct clinux_appender *appender, int fd, const void *bytes, size_t length, int64_t size,
                            int sync) {
    pthread_mutex_lock(&appender->lock);
    appender->fd = fd;
    appender->bytes = bytes;
    appender->length = length;
    appender->size = size;
    appender->sync = sync;
    appender->state = SUBMITTED;
    pthread_cond_signal(&appender->changed);
    pthread_mutex_unlock(&appender->lock);
}

int clinux_appender_result(struct clinux_appender *appender, int *result, int *is_torn) {
    eventfd_t count;
    pthread_mutex_lock(&appender->lock);
    int is_done = appender->state == DONE;
    if (is_done) {
        *result = appender->result;
        *is_torn = appender->is_torn;
        appender->state = IDLE;
        eventfd_read(appender->event, &count);
    }
    pthread_mutex_unlock(&appender->lock);
    return is_done;
}

int clinux_appender_stop(struct clinux_appender *appender) {
    pthread_mutex_lock(&appender->lock);
    int is_busy = appender->state == SUBMITTED;
    appender->state = ENDING;
    pthread_cond_signal(&appender->changed);
    pthread_mutex_unlock(&appender->lock);
    if (is_busy) {
        pthread_detach(appender->thread);
        return 0;
    }
    pthread_join(appender->thread, NULL);
    close(appender->event);
    free(appender);
    return 1;
}
