//! Pid 1 of a cell: reaps, and reports how the script's process ended.
//!
//! Its only descriptor is the report pipe, number 3. It shares nothing with the script but the
//! namespaces: its own memory (it was exec'd), not dumpable, so not traceable; and as pid 1 it
//! cannot be signalled from inside the cell to any effect. It ends when the script's process (pid 2)
//! has ended or when a SIGTERM comes from outside the cell, and takes everything else along.
//!
//! Every system call here is raw, because there is no library: each `unsafe` block below is one
//! `syscall` instruction with arguments that are plain numbers or pointers to live locals of the
//! size that the call's man page asks for.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::mem::MaybeUninit;

const REPORT_FD: usize = 3;
const SCRIPT_PID: isize = 2;

const SIGKILL: usize = 9;
const SIGTERM: i32 = 15;
const SIGCHLD: i32 = 17;
const SIG_BLOCK: usize = 0;
const WNOHANG: usize = 1;
const WALL: usize = 0x4000_0000;
const PR_SET_DUMPABLE: usize = 4;
const RUSAGE_CHILDREN: usize = usize::MAX;

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const WRITE: usize = 1;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const GETRUSAGE: usize = 98;
    pub const RT_SIGTIMEDWAIT: usize = 128;
    pub const PRCTL: usize = 157;
    pub const EXIT_GROUP: usize = 231;
    pub const CLOSE_RANGE: usize = 436;
}
#[cfg(target_arch = "aarch64")]
mod nr {
    pub const WRITE: usize = 64;
    pub const EXIT_GROUP: usize = 94;
    pub const KILL: usize = 129;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const RT_SIGTIMEDWAIT: usize = 137;
    pub const GETRUSAGE: usize = 165;
    pub const PRCTL: usize = 167;
    pub const WAIT4: usize = 260;
    pub const CLOSE_RANGE: usize = 436;
}

#[cfg(target_arch = "x86_64")]
unsafe fn syscall(number: usize, args: [usize; 4]) -> isize {
    let result;
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result, in("rdi") args[0],
             in("rsi") args[1], in("rdx") args[2], in("r10") args[3],
             lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn syscall(number: usize, args: [usize; 4]) -> isize {
    let result;
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") args[0] as isize => result,
             in("x1") args[1], in("x2") args[2], in("x3") args[3], options(nostack));
    }
    result
}

// The kernel enters here with the stack pointer at argc, 16-byte aligned; a call from there gives
// `main` the alignment that the ABI promises.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "call {main}", "ud2", main = sym main);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, xzr", "bl {main}", "brk #1", main = sym main);

/// `struct rusage`: user time, system time, largest resident set in KiB, and more.
type Usage = [i64; 18];
/// `siginfo_t`: signal, errno, code, padding, the sender's pid, and more.
type SigInfo = [i32; 32];

extern "C" fn main() -> ! {
    seclude();
    let mut script = wait_for_end();
    unsafe { syscall(nr::KILL, [usize::MAX, SIGKILL, 0, 0]) };
    loop {
        let mut status = 0;
        match wait(0, &mut status) {
            SCRIPT_PID => script = Some(status),
            pid if pid < 0 => break, // ECHILD: nobody is left
            _ => {}
        }
    }
    report(script);
    exit()
}

/// Nothing of the zygote stays open, nobody may trace, signals wait to be asked for.
fn seclude() {
    unsafe {
        syscall(nr::PRCTL, [PR_SET_DUMPABLE, 0, 0, 0]);
        syscall(nr::CLOSE_RANGE, [0, REPORT_FD - 1, 0, 0]);
        syscall(nr::CLOSE_RANGE, [REPORT_FD + 1, u32::MAX as usize, 0, 0]);
    }
    let all = u64::MAX;
    unsafe { syscall(nr::RT_SIGPROCMASK, [SIG_BLOCK, &raw const all as usize, 0, 8]) };
}

/// Reaps until the script's process has ended (its wait status) or the server says so (`None`).
fn wait_for_end() -> Option<i32> {
    let wanted: u64 = 1 << (SIGCHLD - 1) | 1 << (SIGTERM - 1);
    loop {
        // First reap, then sleep: a child that ended before the signals were blocked is seen too.
        loop {
            let mut status = 0;
            match wait(WNOHANG, &mut status) {
                SCRIPT_PID => return Some(status),
                pid if pid > 0 => {}
                _ => break,
            }
        }
        let mut info = MaybeUninit::<SigInfo>::uninit();
        let args = [&raw const wanted as usize, info.as_mut_ptr() as usize, 0, 8];
        let signal = unsafe { syscall(nr::RT_SIGTIMEDWAIT, args) };
        // The call has returned a signal, so it has filled in `info`. A sender outside this pid
        // namespace has no number in it (pid_namespaces(7)): the script cannot feign that.
        if signal == SIGTERM as isize && unsafe { info.assume_init_ref() }[4] == 0 {
            return None;
        }
    }
}

fn wait(flags: usize, status: &mut i32) -> isize {
    unsafe { syscall(nr::WAIT4, [usize::MAX, &raw mut *status as usize, flags | WALL, 0]) }
}

/// Writes the three words that `cellblock_wire::status` describes.
fn report(script: Option<i32>) {
    let mut usage = MaybeUninit::<Usage>::uninit();
    let got = unsafe { syscall(nr::GETRUSAGE, [RUSAGE_CHILDREN, usage.as_mut_ptr() as usize, 0, 0]) };
    let (cpu_us, max_rss_kib) = if got == 0 {
        let usage = unsafe { usage.assume_init_ref() };
        ((usage[0] + usage[2]).wrapping_mul(1_000_000) + usage[1] + usage[3], usage[4])
    } else {
        (0, 0)
    };
    let words = [i64::from(script.unwrap_or(SIGKILL as i32)), cpu_us, max_rss_kib];
    unsafe { syscall(nr::WRITE, [REPORT_FD, words.as_ptr() as usize, size_of_val(&words), 0]) };
}

fn exit() -> ! {
    loop {
        unsafe { syscall(nr::EXIT_GROUP, [0; 4]) };
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit()
}
