//! Pid 1 of a cell: reaps, and reports how the script's process ended.
//!
//! Its only descriptor is the report pipe, number 3. It shares nothing with the script but the
//! namespaces: its own memory (it was exec'd), not dumpable, so not traceable; and as pid 1 it
//! cannot be signalled from inside the cell to any effect. It ends when the script's process (pid 2)
//! has ended or when a SIGTERM comes from outside the cell, and takes everything else along.
//!
//! Started with the script's number as its argument, it has no pid namespace, and is pid 1 of nothing.
//! The script then leads a process group that nothing in the cell can leave, the cell's orphans come
//! to this process, and no process of the cell can signal another cell's or this one: its system-call
//! filter sees to that. So any SIGTERM is the server's. A SIGHUP is the kernel's, when the zygote has died:
//! then there is no report, as there would be none had a pid namespace ended.
//!
//! Every system call here is raw, because there is no library: each `unsafe` block below is one
//! `syscall` instruction with arguments that are plain numbers or pointers to live locals of the
//! size that the call's man page asks for.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::mem::MaybeUninit;

const REPORT_FD: usize = 3;

/// The script's pid where init is pid 1: the first that its namespace gives after that.
const SECOND: isize = 2;

/// How readily the kernel kills this process where memory runs out: less than a script (1000), without which
/// it is of no use, and more than a zygote (0).
const OOM_SCORE: &[u8] = b"900";
const OOM_FILE: &core::ffi::CStr = c"/proc/self/oom_score_adj";
const AT_FDCWD: usize = -100_isize as usize;
const O_WRONLY: usize = 1;

const SIGHUP: i32 = 1;
const SIGKILL: usize = 9;
const SIGTERM: i32 = 15;
const SIGCHLD: i32 = 17;
const SIG_BLOCK: usize = 0;
const WNOHANG: usize = 1;
const WEXITED: usize = 4;
const WNOWAIT: usize = 0x0100_0000;
const P_ALL: usize = 0;
const ANYBODY: usize = usize::MAX;
const WALL: usize = 0x4000_0000;
const PR_SET_DUMPABLE: usize = 4;
const RUSAGE_CHILDREN: usize = usize::MAX;

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const WRITE: usize = 1;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const OPENAT: usize = 257;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const GETRUSAGE: usize = 98;
    pub const RT_SIGTIMEDWAIT: usize = 128;
    pub const PRCTL: usize = 157;
    pub const EXIT_GROUP: usize = 231;
    pub const WAITID: usize = 247;
    pub const CLOSE_RANGE: usize = 436;
}
#[cfg(target_arch = "aarch64")]
mod nr {
    pub const OPENAT: usize = 56;
    pub const WRITE: usize = 64;
    pub const EXIT_GROUP: usize = 94;
    pub const WAITID: usize = 95;
    pub const KILL: usize = 129;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const RT_SIGTIMEDWAIT: usize = 137;
    pub const GETRUSAGE: usize = 165;
    pub const PRCTL: usize = 167;
    pub const WAIT4: usize = 260;
    pub const CLOSE_RANGE: usize = 436;
}

#[cfg(target_arch = "x86_64")]
unsafe fn syscall(number: usize, args: [usize; 5]) -> isize {
    let result;
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result, in("rdi") args[0],
             in("rsi") args[1], in("rdx") args[2], in("r10") args[3], in("r8") args[4],
             lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn syscall(number: usize, args: [usize; 5]) -> isize {
    let result;
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") args[0] as isize => result,
             in("x1") args[1], in("x2") args[2], in("x3") args[3], in("x4") args[4],
             options(nostack));
    }
    result
}

// The kernel enters here with the stack pointer at argc, 16-byte aligned; a call from there gives
// `main` the alignment that the ABI promises, and the stack pointer as its argument.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start", "_start:", "xor ebp, ebp", "mov rdi, rsp", "call {main}", "ud2", main = sym main
);
#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start", "_start:", "mov x29, xzr", "mov x0, sp", "bl {main}", "brk #1", main = sym main
);

/// `struct rusage`: user time, system time, largest resident set in KiB, and more.
type Usage = [i64; 18];
/// `siginfo_t`: signal, errno, code, padding, the sender's or the child's pid, and more.
type SigInfo = [i32; 32];

/// The script's process, and whom there is to end with it.
struct Cell {
    script: isize,
    /// Everybody in this pid namespace, or the script's process group.
    all: usize,
    /// There is a pid namespace, of which this is pid 1.
    is_first: bool,
}

impl Cell {
    /// `stack` is what the kernel left there: argc, then the pointers of argv.
    fn of(stack: *const usize) -> Self {
        // SAFETY: execve(2) lays out argc, argc pointers and a null pointer there.
        let (count, argument) = unsafe { (*stack, *stack.add(2) as *const u8) };
        if count < 2 {
            return Self { script: SECOND, all: usize::MAX, is_first: true };
        }
        let script = number(argument);
        Self { script, all: script.wrapping_neg() as usize, is_first: false }
    }
}

/// A decimal number that ends in a NUL; ends this process where it is none, or names nobody.
fn number(mut text: *const u8) -> isize {
    let mut number: isize = 0;
    loop {
        // SAFETY: an argument is a string that ends in a NUL, at which this stops.
        let byte = unsafe { *text };
        match byte {
            0 if number > 1 => return number,
            b'0'..=b'9' => number = number.wrapping_mul(10).wrapping_add((byte - b'0') as isize),
            _ => exit(),
        }
        // SAFETY: at most to the NUL.
        text = unsafe { text.add(1) };
    }
}

extern "C" fn main(stack: *const usize) -> ! {
    raise_oom_score();
    seclude();
    let cell = Cell::of(stack);
    let (mut script, why) = wait_for_end(&cell);
    unsafe { syscall(nr::KILL, [cell.all, SIGKILL, 0, 0, 0]) };
    if !cell.is_first && script.is_none() {
        // It may not lead its group yet. Not reaped, so the number is still its own.
        unsafe { syscall(nr::KILL, [cell.script as usize, SIGKILL, 0, 0, 0]) };
    }
    loop {
        let mut status = 0;
        match wait(ANYBODY, 0, &mut status) {
            pid if pid == cell.script => script = Some(status),
            pid if pid < 0 => break, // ECHILD: nobody is left
            _ => {}
        }
    }
    if why != SIGHUP {
        report(script);
    }
    exit()
}

/// While this process is dumpable, since that file is another user's afterwards. Without, it is as readily
/// killed as the zygote, which is no harm to anybody.
fn raise_oom_score() {
    let file = unsafe { syscall(nr::OPENAT, [AT_FDCWD, OOM_FILE.as_ptr() as usize, O_WRONLY, 0, 0]) };
    if file >= 0 {
        // Closed with all else.
        let text = OOM_SCORE.as_ptr() as usize;
        unsafe { syscall(nr::WRITE, [file as usize, text, OOM_SCORE.len(), 0, 0]) };
    }
}

/// Nothing of the zygote stays open, nobody may trace, signals wait to be asked for.
fn seclude() {
    unsafe {
        syscall(nr::PRCTL, [PR_SET_DUMPABLE, 0, 0, 0, 0]);
        syscall(nr::CLOSE_RANGE, [0, REPORT_FD - 1, 0, 0, 0]);
        syscall(nr::CLOSE_RANGE, [REPORT_FD + 1, u32::MAX as usize, 0, 0, 0]);
    }
    let all = u64::MAX;
    unsafe { syscall(nr::RT_SIGPROCMASK, [SIG_BLOCK, &raw const all as usize, 0, 8, 0]) };
}

/// Reaps until the script's process has ended (its wait status, where it is reaped) or a signal says so
/// (its number).
fn wait_for_end(cell: &Cell) -> (Option<i32>, i32) {
    let mut wanted: u64 = 1 << (SIGCHLD - 1) | 1 << (SIGTERM - 1);
    if !cell.is_first {
        wanted |= 1 << (SIGHUP - 1);
    }
    loop {
        // First reap, then sleep: a child that ended before the signals were blocked is seen too.
        loop {
            let whom = match cell.is_first {
                true => ANYBODY,
                // The script is left a zombie until its group is killed: so long nobody else can get
                // the group's number.
                false => match ended_child() {
                    0 => break,
                    pid if pid == cell.script => return (None, SIGCHLD),
                    pid => pid as usize,
                },
            };
            let mut status = 0;
            match wait(whom, WNOHANG, &mut status) {
                pid if pid == cell.script => return (Some(status), SIGCHLD),
                pid if pid > 0 => {}
                _ => break,
            }
        }
        let mut info = MaybeUninit::<SigInfo>::uninit();
        let args = [&raw const wanted as usize, info.as_mut_ptr() as usize, 0, 8, 0];
        let signal = unsafe { syscall(nr::RT_SIGTIMEDWAIT, args) };
        // The call has returned a signal, so it has filled in `info`. A sender outside this pid
        // namespace has no number in it (pid_namespaces(7)): the script cannot feign that.
        if signal == SIGTERM as isize
            && (!cell.is_first || unsafe { info.assume_init_ref() }[4] == 0)
        {
            return (None, SIGTERM);
        }
        if signal == SIGHUP as isize {
            return (None, SIGHUP);
        }
    }
}

/// A child that has ended, which is not reaped by that; 0 where there is none. waitid(2)
fn ended_child() -> isize {
    let mut info: SigInfo = [0; 32];
    let flags = WEXITED | WNOHANG | WNOWAIT | WALL;
    let args = [P_ALL, 0, &raw mut info as usize, flags, 0];
    if unsafe { syscall(nr::WAITID, args) } == 0 { info[4] as isize } else { 0 }
}

fn wait(whom: usize, flags: usize, status: &mut i32) -> isize {
    unsafe { syscall(nr::WAIT4, [whom, &raw mut *status as usize, flags | WALL, 0, 0]) }
}

/// Writes the three words that `cellblock_wire::status` describes.
fn report(script: Option<i32>) {
    let mut usage = MaybeUninit::<Usage>::uninit();
    let got = unsafe { syscall(nr::GETRUSAGE, [RUSAGE_CHILDREN, usage.as_mut_ptr() as usize, 0, 0, 0]) };
    let (cpu_us, max_rss_kib) = if got == 0 {
        let usage = unsafe { usage.assume_init_ref() };
        ((usage[0] + usage[2]).wrapping_mul(1_000_000) + usage[1] + usage[3], usage[4])
    } else {
        (0, 0)
    };
    let words = [i64::from(script.unwrap_or(SIGKILL as i32)), cpu_us, max_rss_kib];
    unsafe { syscall(nr::WRITE, [REPORT_FD, words.as_ptr() as usize, size_of_val(&words), 0, 0]) };
}

fn exit() -> ! {
    loop {
        unsafe { syscall(nr::EXIT_GROUP, [0; 5]) };
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit()
}
