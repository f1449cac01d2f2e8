//! One copy of the zygote's page tables makes a cell of two processes.
//!
//! ```text
//! zygote ──clone(VM|VFORK|NEW*)──▶ init: on a stack of its own, in the zygote's memory
//!   │ suspended                     │ steps::INIT: uid map, host name, /tmp, /proc
//!   │                               ├─clone()──▶ script's process: copy of the zygote, which
//!   │                               │            resumes where the zygote is suspended
//!   ◀── resumes ─────────────────── exec(init program): init has its own memory
//! ```
//!
//! A plain fork for init and another for the script would copy the page tables twice, which is
//! most of what a cell costs. `CLONE_VFORK` keeps the zygote from running until init has exec'd or
//! exited, so memory is never used by both at once (clone(2)).
//!
//! The script's process wakes on init's little stack, but belongs on the zygote's: the language
//! runtime measures its stack, and the frames to return to are there. The assembly below therefore
//! keeps the registers that a function call must keep, and `resume` puts them back, in a process
//! whose memory is a copy from the moment when the zygote was suspended in that very call. For the
//! compiler each process sees one ordinary call return once.

use std::{
    arch::global_asm,
    mem::MaybeUninit,
    os::fd::{FromRawFd, OwnedFd, RawFd},
};

use rustix::{io::Errno, process::Signal};

use super::{
    Opaque, block_signals, borrow, decimal, default_sigchld, duplicate_to, exec, exit_now,
    tid_address,
};
use crate::plan::Plan;

/// Bytes of init's stack: its deepest call is a mount with a few locals.
const STACK: usize = 64 * 1024;
/// The number at which the init program expects its report pipe.
const REPORT_FD: RawFd = 3;

/// In which process the caller finds itself.
pub(crate) enum Cloned {
    /// The zygote, with the pidfd of the cell's init and the number of the script's process, as init
    /// counts.
    Zygote { init: OwnedFd, script: i32 },
    /// The script's process.
    Script,
}

/// A step of init that failed.
pub(crate) struct InitFailure {
    pub(crate) step: &'static str,
    pub(crate) errno: Errno,
}

/// What init reads and writes in the zygote's memory.
struct Shared<'plan> {
    plan: &'plan Plan,
    report: RawFd,
    tid: *mut i32,
    saved: Saved,
    pidfd: RawFd,
    init: i32,
    script: i32,
    failure: Option<InitFailure>,
}

/// The registers that a callee keeps, the stack pointer and the return address.
#[cfg(target_arch = "x86_64")]
type Saved = MaybeUninit<[u64; 8]>;
#[cfg(target_arch = "aarch64")]
type Saved = MaybeUninit<[u64; 21]>;

/// Clones a cell. See the module's head for who goes where.
pub(crate) fn clone_cell(plan: &Plan, report: RawFd) -> Result<Cloned, InitFailure> {
    let tid = tid_address().map_err(|errno| InitFailure {
        step: "find the thread id",
        errno,
    })?;
    let mut shared = Shared {
        plan,
        report,
        tid,
        saved: Saved::uninit(),
        pidfd: -1,
        init: 0,
        script: 0,
        failure: None,
    };
    // Allocated here, not in init; freed when init has left it. Not cleared: each page that the
    // zygote writes is one more to be copied, since it shares them all with its cells.
    let mut stack = Box::<[u128]>::new_uninit_slice(STACK / size_of::<u128>());
    let flags = (libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD) as u64;
    let saved = &raw mut shared.saved;
    let pidfd = &raw mut shared.pidfd;
    let argument = &raw mut shared;
    // SAFETY:
    // - The stack is 16-byte aligned (u128), large enough, and lives until this frame ends; init
    //   is gone from it when the call returns here, because CLONE_VFORK returns only then.
    // - init uses `shared` while this thread, the only one of the process, is suspended, so there
    //   is never more than one user. It is reached through the raw pointer only, until afterwards.
    // - `saved` is filled by the assembly before the clone, and read by `resume` in the script's
    //   process only, whose copy of this frame is still the live, suspended one.
    // - init never returns: `init_main` execs or exits.
    let result = unsafe {
        cellblock_clone(
            flags | plan.namespaces,
            stack.as_mut_ptr_range().end.cast(),
            init_main,
            argument.cast(),
            saved.cast(),
            pidfd,
        )
    };
    if result == 0 {
        if plan.is_in_place() {
            end_with_init(shared.init);
        }
        return Ok(Cloned::Script);
    }
    if result < 0 {
        let errno = Errno::from_raw_os_error(i32::try_from(-result).unwrap_or(libc::EIO));
        return Err(InitFailure {
            step: "clone into namespaces",
            errno,
        });
    }
    // SAFETY: the clone succeeded, so with CLONE_PIDFD the kernel stored a new descriptor there,
    // which nothing else owns.
    let pidfd = unsafe { OwnedFd::from_raw_fd(shared.pidfd) };
    match shared.failure {
        Some(failure) => Err(failure),
        None => Ok(Cloned::Zygote {
            init: pidfd,
            script: shared.script,
        }),
    }
}

/// Init, on its own stack, in the zygote's memory. Under the rules in the crate's head.
extern "C" fn init_main(argument: Opaque) -> ! {
    // SAFETY: the argument is `clone_cell`'s `shared`, whose only user is this process while the
    // zygote is suspended.
    let shared = unsafe { &mut *argument.cast::<Shared<'_>>() };
    default_sigchld();
    let plan = shared.plan;
    for step in plan.init.iter().filter(|step| plan.policy.has(step.layer)) {
        if let Err(errno) = (step.run)(plan) {
            fail(shared, step.name, errno);
        }
    }
    if plan.is_in_place() {
        shared.init = rustix::process::getpid().as_raw_pid();
    }
    match clone_script(shared.tid) {
        Ok(0) => {
            // SAFETY: this is the script's process: its memory is a copy in which the frame that
            // `saved` describes is suspended and complete. Nothing of this frame is needed again.
            unsafe { cellblock_resume(shared.saved.as_ptr().cast(), 0) }
        }
        Ok(pid) => {
            shared.script = i32::try_from(pid).unwrap_or_default();
            become_init(shared)
        }
        Err(errno) => fail(shared, "fork the script's process", errno),
    }
}

/// In the script's process of a cell without a pid namespace: has the kernel kill it when init ends,
/// however it does.
fn end_with_init(init: i32) {
    let set = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    // An init that has died before gives no signal.
    let parent = rustix::process::getppid().map(rustix::process::Pid::as_raw_pid);
    if set.is_err() || parent != Some(init) {
        exit_now(1);
    }
}

fn fail(shared: &mut Shared<'_>, step: &'static str, errno: Errno) -> ! {
    shared.failure = Some(InitFailure { step, errno });
    exit_now(1)
}

/// Leaves the zygote's memory by exec. The script's process already runs; should the exec fail,
/// this exit ends it too, since a pid namespace does not outlive its pid 1, and without one the
/// process has asked to end with its parent.
fn become_init(shared: &mut Shared<'_>) -> ! {
    // The server knows of this process as soon as it has its own memory, and may want it gone before
    // the init program has run at all.
    if let Err(errno) = block_signals() {
        fail(shared, "block signals", errno);
    }
    // This process' descriptor table is a copy (no CLONE_FILES).
    if let Err(errno) = duplicate_to(borrow(shared.report), REPORT_FD) {
        fail(shared, "place the report pipe", errno);
    }
    // Where there is a pid namespace, init knows the number.
    let mut digits = [0; 12];
    let script = shared
        .plan
        .is_in_place()
        .then(|| decimal(shared.script, &mut digits));
    let errno = exec(&shared.plan.init_path, script);
    fail(shared, "exec the init program", errno)
}

/// A process that is a copy of this one, with the C library's idea of its thread id set right.
fn clone_script(tid: *mut i32) -> Result<i64, Errno> {
    let flags = libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    #[cfg(target_arch = "x86_64")]
    let order = [std::ptr::null_mut(), tid, std::ptr::null_mut()];
    #[cfg(target_arch = "aarch64")]
    let order = [std::ptr::null_mut(), std::ptr::null_mut(), tid];
    // SAFETY: without CLONE_VM the child has its own memory and, with a null stack, goes on where
    // this call returns. The kernel writes the child's thread id to `tid` in the child's memory
    // only, where PR_GET_TID_ADDRESS said that the C library keeps it. The process that calls has
    // one thread, so nothing is left half-done in the copy.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone,
            flags,
            0_usize,
            order[0],
            order[1],
            order[2],
        )
    };
    if result < 0 {
        Err(Errno::IO)
    } else {
        Ok(result)
    }
}

/// For the cold engine: this process becomes init of the namespaces it is pid 1 of, and its child
/// returns as the script's process.
pub(crate) fn fork_under_init(plan: &Plan, report: RawFd) -> Result<(), InitFailure> {
    default_sigchld();
    match super::fork() {
        Ok(true) => Ok(()),
        Ok(false) => {
            let tid = std::ptr::null_mut();
            let mut shared = Shared {
                plan,
                report,
                tid,
                saved: Saved::uninit(),
                pidfd: -1,
                init: 0,
                script: 0,
                failure: None,
            };
            become_init(&mut shared)
        }
        Err(errno) => Err(InitFailure {
            step: "fork the script's process",
            errno,
        }),
    }
}

unsafe extern "C" {
    /// clone(2) with `flags` onto the stack that ends at `stack`: the child calls `entry(argument)`
    /// there, the caller gets the child's pid, or a negative errno. Before, the caller's
    /// registers go to `saved`. The kernel stores the child's pidfd at `pidfd`.
    fn cellblock_clone(
        flags: u64,
        stack: *mut u8,
        entry: extern "C" fn(Opaque) -> !,
        argument: Opaque,
        saved: *mut u64,
        pidfd: *mut RawFd,
    ) -> i64;

    /// Makes the `cellblock_clone` that filled `saved` return `value`.
    fn cellblock_resume(saved: *const u64, value: i64) -> !;
}

// System V ABI: arguments in rdi, rsi, rdx, rcx, r8, r9; rbx, rbp, r12-r15 and rsp are kept.
// clone(flags, stack, parent_tid, child_tid, tls) wants rdi, rsi, rdx, r10, r8; the kernel keeps
// all registers but rax, rcx and r11.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl cellblock_clone",
    ".hidden cellblock_clone",
    "cellblock_clone:",
    "mov [r8], rbx",
    "mov [r8 + 8], rbp",
    "mov [r8 + 16], r12",
    "mov [r8 + 24], r13",
    "mov [r8 + 32], r14",
    "mov [r8 + 40], r15",
    "lea rax, [rsp + 8]", // the stack pointer as it is once this function has returned
    "mov [r8 + 48], rax",
    "mov rax, [rsp]",
    "mov [r8 + 56], rax",
    "sub rsi, 16", // the child finds its entry and argument on its stack
    "mov [rsi], rcx",
    "mov [rsi + 8], rdx",
    "mov rdx, r9",
    "xor r10d, r10d",
    "xor r8d, r8d",
    "mov eax, 56",
    "syscall",
    "test rax, rax",
    "jz 2f",
    "ret",
    "2:",
    "xor ebp, ebp",
    "mov rdi, [rsp]",
    "call [rsp + 8]",
    "ud2",
    ".globl cellblock_resume",
    ".hidden cellblock_resume",
    "cellblock_resume:",
    "mov rbx, [rdi]",
    "mov rbp, [rdi + 8]",
    "mov r12, [rdi + 16]",
    "mov r13, [rdi + 24]",
    "mov r14, [rdi + 32]",
    "mov r15, [rdi + 40]",
    "mov rsp, [rdi + 48]",
    "mov rax, rsi",
    "jmp [rdi + 56]",
);

// AAPCS64: arguments in x0-x5; x19-x30, sp and d8-d15 are kept. clone wants flags, stack,
// parent_tid, tls, child_tid in x0-x4 and its number in x8; the kernel keeps all but x0.
#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl cellblock_clone",
    ".hidden cellblock_clone",
    "cellblock_clone:",
    "stp x19, x20, [x4]",
    "stp x21, x22, [x4, #16]",
    "stp x23, x24, [x4, #32]",
    "stp x25, x26, [x4, #48]",
    "stp x27, x28, [x4, #64]",
    "stp x29, x30, [x4, #80]",
    "mov x9, sp",
    "str x9, [x4, #96]",
    "stp d8, d9, [x4, #104]",
    "stp d10, d11, [x4, #120]",
    "stp d12, d13, [x4, #136]",
    "stp d14, d15, [x4, #152]",
    "mov x10, x2",
    "mov x11, x3",
    "mov x2, x5",
    "mov x3, xzr",
    "mov x4, xzr",
    "mov x8, #220",
    "svc 0",
    "cbz x0, 2f",
    "ret",
    "2:",
    "mov x29, xzr",
    "mov x0, x11",
    "blr x10",
    "brk #1",
    ".globl cellblock_resume",
    ".hidden cellblock_resume",
    "cellblock_resume:",
    "ldp x19, x20, [x0]",
    "ldp x21, x22, [x0, #16]",
    "ldp x23, x24, [x0, #32]",
    "ldp x25, x26, [x0, #48]",
    "ldp x27, x28, [x0, #64]",
    "ldp x29, x30, [x0, #80]",
    "ldr x9, [x0, #96]",
    "ldp d8, d9, [x0, #104]",
    "ldp d10, d11, [x0, #120]",
    "ldp d12, d13, [x0, #136]",
    "ldp d14, d15, [x0, #152]",
    "mov sp, x9",
    "mov x0, x1",
    "ret",
);
