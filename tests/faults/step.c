// Runs a program and breaks one step of what it writes.
//
//   step MODE N DIR REPORT PROGRAM [ARGUMENT...]
//
// A step is a system call that changes a file under DIR or locks one: write, sync, truncate, create, rename, link, remove,
// lock. The N-th of them (from 1) is broken; N = 0 breaks none, and only counts. MODE:
//
//   fail-io, fail-full   it is not done, and says EIO or ENOSPC
//   late-io              it is done, and says EIO all the same
//   kill                 SIGKILL in its place
//   killed-after         it is done, then SIGKILL
//
// REPORT gets a line for each step, `=` before the broken one. It exits as the program does; 128 + the signal where
// that was killed; 125 where it cannot work here. x86-64 Linux only: by ptrace, because a part of the program calls the
// kernel without the C library, where a preloaded library sees nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__x86_64__) || !defined(__linux__)
int main(void) { return 125; }
#else

static const char *dir;

static int under(const char *path) { return strncmp(path, dir, strlen(dir)) == 0; }

static int fd_under(pid_t pid, long fd, char *out, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/fd/%ld", pid, fd);
    ssize_t n = readlink(link, out, size - 1);
    if (n < 0) return 0;
    out[n] = 0;
    return under(out);
}

static void text_at(pid_t pid, unsigned long at, char *out, size_t size) {
    out[0] = 0;
    for (size_t done = 0; done < size - 1;) {
        // Not across the end of a page: the next one need not be there.
        size_t part = 4096 - ((at + done) & 4095);
        if (part > size - 1 - done) part = size - 1 - done;
        struct iovec to = {out + done, part}, from = {(void *)(at + done), part};
        ssize_t n = process_vm_readv(pid, &to, 1, &from, 1, 0);
        if (n <= 0) break;
        out[done + n] = 0;
        if (memchr(out + done, 0, n)) return;
        done += n;
    }
    out[size - 1] = 0;
}

// What kind of step a call is, and of which file; NULL if it is none.
static const char *step(pid_t pid, const struct user_regs_struct *r, char *file, size_t size) {
    switch (r->orig_rax) {
    case SYS_write: case SYS_writev: case SYS_pwrite64: case SYS_pwritev:
        return fd_under(pid, r->rdi, file, size) ? "write" : NULL;
    case SYS_fsync: case SYS_fdatasync:
        return fd_under(pid, r->rdi, file, size) ? "sync" : NULL;
    case SYS_ftruncate: case SYS_fallocate:
        return fd_under(pid, r->rdi, file, size) ? "truncate" : NULL;
    case SYS_flock:
        return fd_under(pid, r->rdi, file, size) ? "lock" : NULL;
    case SYS_fcntl:
        return (r->rsi == F_SETLK || r->rsi == F_SETLKW) && fd_under(pid, r->rdi, file, size) ? "lock" : NULL;
    case SYS_open:
        text_at(pid, r->rdi, file, size);
        return (r->rsi & O_CREAT) && under(file) ? "create" : NULL;
    case SYS_openat:
        text_at(pid, r->rsi, file, size);
        return (r->rdx & O_CREAT) && under(file) ? "create" : NULL;
    case SYS_rename: case SYS_link:
        text_at(pid, r->rsi, file, size);
        return under(file) ? "rename" : NULL;
    case SYS_renameat: case SYS_renameat2: case SYS_linkat:
        text_at(pid, r->r10, file, size);
        return under(file) ? "rename" : NULL;
    case SYS_unlink:
        text_at(pid, r->rdi, file, size);
        return under(file) ? "remove" : NULL;
    case SYS_unlinkat:
        text_at(pid, r->rsi, file, size);
        return under(file) ? "remove" : NULL;
    default:
        return NULL;
    }
}

int main(int argc, char **argv) {
    if (argc < 6) return 125;
    const char *mode = argv[1];
    long wanted = atol(argv[2]), seen = 0;
    dir = argv[3];
    char file[4096];
    FILE *report = fopen(argv[4], "we");
    if (!report) return 125;
    int result = 125;
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0)) _exit(125);
        raise(SIGSTOP);
        execv(argv[5], argv + 5);
        _exit(125);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return 125;
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, child, 0, options)) return 125;
    ptrace(PTRACE_SYSCALL, child, 0, 0);
    // The thread whose broken call is on its way back, and what it is to be told.
    pid_t pending = 0;
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0) break;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (pid != child) continue;
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            break;
        }
        long forward = 0;
        int sig = WSTOPSIG(status);
        if (sig == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info info;
            struct user_regs_struct r;
            memset(&info, 0, sizeof info);
            ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY && ptrace(PTRACE_GETREGS, pid, 0, &r) == 0) {
                const char *kind = step(pid, &r, file, sizeof file);
                if (kind) {
                    const char *name = strrchr(file, '/');
                    fprintf(report, "%s%s %s\n", ++seen == wanted ? "=" : "", kind, name ? name + 1 : file);
                }
                if (kind && seen == wanted) {
                    if (!strcmp(mode, "kill")) {
                        kill(child, SIGKILL);
                        continue;
                    }
                    pending = pid;
                    if (!strncmp(mode, "fail", 4)) {
                        r.orig_rax = -1;
                        ptrace(PTRACE_SETREGS, pid, 0, &r);
                    }
                }
            } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && pid == pending) {
                pending = 0;
                if (!strcmp(mode, "killed-after")) {
                    kill(child, SIGKILL);
                    continue;
                }
                ptrace(PTRACE_GETREGS, pid, 0, &r);
                r.rax = strcmp(mode, "fail-full") ? -EIO : -ENOSPC;
                ptrace(PTRACE_SETREGS, pid, 0, &r);
            }
        } else if (sig != SIGTRAP && sig != SIGSTOP) {
            forward = sig;
        }
        ptrace(PTRACE_SYSCALL, pid, 0, forward);
    }
    fclose(report);
    return result;
}
#endif
