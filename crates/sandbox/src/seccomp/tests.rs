//! The compiled filters, run on calls as the kernel would: every number, and for the calls whose
//! arguments count, arguments of both kinds.

use std::collections::{BTreeMap, BTreeSet};

use seccompiler::sock_filter;

use super::*;

/// `AUDIT_ARCH_*` of this architecture, and of one that is not.
#[cfg(target_arch = "x86_64")]
pub(super) const ARCHITECTURES: [u32; 2] = [0xc000_003e, 0x4000_0003];
#[cfg(target_arch = "aarch64")]
pub(super) const ARCHITECTURES: [u32; 2] = [0xc000_00b7, 0x4000_0028];

pub(super) const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;
pub(super) const EPERM: u32 = 0x0005_0001;
/// An errno of 0: the call returns it, and is not made.
pub(super) const DONE: u32 = 0x0005_0000;
pub(super) const ENOSYS: u32 = 0x0005_0026;
/// The action of a refusal, whose lower half is the errno.
const REFUSAL: u32 = 0x0005_0000;

/// Word `offset / 4` of `struct seccomp_data`: number, architecture, instruction pointer, arguments.
fn word(call: i64, arch: u32, args: [u64; 6], offset: u32) -> u32 {
    let half = |value: u64, high: bool| {
        let value = if high { value >> 32 } else { value };
        u32::try_from(value & 0xffff_ffff).unwrap()
    };
    match offset {
        0 => half(call.cast_unsigned(), false),
        4 => arch,
        8 | 12 => 0,
        _ => half(args[(offset as usize - 16) / 8], offset % 8 == 4),
    }
}

/// Classic BPF, as much of it as the compiler uses.
fn run(program: &[sock_filter], call: i64, arch: u32, args: [u64; 6]) -> u32 {
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let &sock_filter { code, jt, jf, k } = &program[at];
        at += 1;
        let jump = |yes: bool| usize::from(if yes { jt } else { jf });
        match code {
            0x20 => accumulator = word(call, arch, args, k), // load a word
            0x54 => accumulator &= k,
            0x05 => at += k as usize, // jump
            0x15 => at += jump(accumulator == k),
            0x25 => at += jump(accumulator > k),
            0x35 => at += jump(accumulator >= k),
            0x06 => return k, // return
            code => panic!("instruction {code:#x}"),
        }
    }
}

/// What the kernel would do in a cell.
fn answer(call: i64, arch: u32, args: [u64; 6]) -> u32 {
    answer_of(&compile_cell(Memory::Data).unwrap(), call, arch, args)
}

/// What the kernel would do: the strictest answer, of two refusals the later filter's.
pub(super) fn answer_of(filters: &[BpfProgram], call: i64, arch: u32, args: [u64; 6]) -> u32 {
    let answers: Vec<_> = filters
        .iter()
        .map(|filter| run(filter, call, arch, args))
        .collect();
    if answers.contains(&KILL) {
        return KILL;
    }
    let mut refusals = answers.iter().rev();
    if let Some(&refusal) = refusals.find(|&&answer| answer >> 16 == REFUSAL >> 16) {
        return refusal;
    }
    assert!(answers.iter().all(|&answer| answer == ALLOW));
    ALLOW
}

fn native(call: i64, args: [u64; 6]) -> u32 {
    answer(call, ARCHITECTURES[0], args)
}

/// Arguments that meet an alternative, and all ones where it says nothing.
fn meeting(alternative: &[Arg]) -> [u64; 6] {
    let mut args = [u64::MAX; 6];
    for arg in alternative {
        match *arg {
            Arg::Is(index, value) => args[usize::from(index)] = value,
            Arg::Masked(index, mask, value) => {
                let arg = &mut args[usize::from(index)];
                *arg = (*arg & !mask) | value;
            }
            Arg::Not(index, value) => assert_ne!(args[usize::from(index)], value),
            Arg::Null(index) => args[usize::from(index)] = 0,
        }
    }
    args
}

#[test]
fn what_is_on_no_list_is_refused() {
    let listed: BTreeSet<_> = cell_rules().map(|rule| rule.call).collect();
    let always = rules::ANSWERS
        .iter()
        .filter(|answer| answer.when.alternatives().is_empty());
    let answered: BTreeMap<_, _> = always.map(|it| (it.call, it.errno)).collect();
    let numbers = (0..600).chain([-1, i64::from(i32::MAX)]);
    for call in numbers.chain((0..600).map(|call| call | 0x4000_0000)) {
        let expected = match call {
            call if listed.contains(&call) => continue,
            call => match answered.get(&call) {
                Some(errno) => REFUSAL | errno.cast_unsigned(),
                None => EPERM,
            },
        };
        assert_eq!(native(call, [0; 6]), expected, "call {call}");
    }
}

/// Arguments that no rule names.
const OTHER: [u64; 6] = [u64::MAX; 6];

#[test]
fn each_rule_allows_what_it_says_and_no_other_arguments() {
    for rule in cell_rules() {
        let alternatives = rule.when.alternatives();
        for alternative in alternatives {
            let args = meeting(alternative);
            assert_eq!(native(rule.call, args), ALLOW, "{rule:?} {args:x?}");
        }
        let other = native(rule.call, OTHER);
        let answered = cell_answers().iter().find(|it| it.is_for(rule.call, OTHER));
        let expected = match answered {
            _ if alternatives.is_empty() => ALLOW,
            Some(answer) => REFUSAL | answer.errno.cast_unsigned(),
            None => EPERM,
        };
        assert_eq!(other, expected, "{rule:?}");
    }
}

#[test]
fn arguments_that_break_out_are_refused() {
    let refused = [
        (libc::SYS_socketpair, [2, 1, 0, 0, 0, 0]),
        (libc::SYS_socketpair, [38, 5, 0, 0, 0, 0]),
        (libc::SYS_socketpair, [1, 2, 0, 0, 0, 0]),
        (libc::SYS_socketpair, [1, 5, 0, 0, 0, 0]),
        (libc::SYS_socketpair, [1, 1, 1, 0, 0, 0]),
        (libc::SYS_sendto, [3, 0x1000, 8, 0, 0x1000, 16]),
        (libc::SYS_sendto, [3, 0x1000, 8, 0, 1 << 32, 16]),
        (libc::SYS_sendto, [3, 0x1000, 8, 0x0400_0000, 0, 0]),
        (libc::SYS_recvfrom, [3, 0x1000, 8, 0x2000, 0, 0]),
        (libc::SYS_getsockopt, [3, 0, 3, 0, 0, 0]),
        (libc::SYS_pipe2, [0x1000, 0x80, 0, 0, 0, 0]),
        (libc::SYS_mremap, [0x1000, 4096, 4096, 3, 0x2000, 0]),
        (libc::SYS_mmap, [0, 4096, 3, 0x2022, 0, 0]),
        (libc::SYS_mmap, [0, 4096, 3, 0x28, 0, 0]),
        (libc::SYS_clone, [0x4111, 0, 0, 0, 0, 0]),
        (libc::SYS_clone, [0x8011, 0, 0, 0, 0, 0]),
        (libc::SYS_waitid, [3, 3, 0, 4, 0, 0]),
        (libc::SYS_getpriority, [2, 0, 0, 0, 0, 0]),
        (libc::SYS_clock_gettime, [0xffff_fffa, 0, 0, 0, 0, 0]),
        (libc::SYS_clock_gettime, [0xffff_ffe3, 0, 0, 0, 0, 0]),
        (libc::SYS_clock_nanosleep, [2, 0, 0, 0, 0, 0]),
        (libc::SYS_futex, [0x1000, 14, 0, 0, 0, 0]),
        (libc::SYS_mmap, [0, 4096, 7, 0x22, 0, 0]),
        (libc::SYS_mmap, [0, 4096, 5, 0x22, 0, 0]),
        (libc::SYS_mmap, [0, 4096, 7, 0x02, 3, 0]),
        (libc::SYS_mprotect, [0, 4096, 4, 0, 0, 0]),
        (libc::SYS_mprotect, [0, 4096, 1 << 32 | 5, 0, 0, 0]),
        (libc::SYS_clone, [0x1000_0011, 0, 0, 0, 0, 0]),
        (libc::SYS_clone, [0x0000_0080, 0, 0, 0, 0, 0]),
        (libc::SYS_prctl, [4, 1, 0, 0, 0, 0]),
        (libc::SYS_prctl, [22, 2, 0, 0, 0, 0]),
        (libc::SYS_ioctl, [0, 0x5412, 0, 0, 0, 0]),
        (libc::SYS_ioctl, [0, 1 << 32 | 0x5412, 0, 0, 0, 0]),
        (libc::SYS_fcntl, [1, 1031, 0, 0, 0, 0]),
        (libc::SYS_fcntl, [1, 1024, 0, 0, 0, 0]),
        (libc::SYS_fcntl, [1, 8, 1, 0, 0, 0]),
        (libc::SYS_prlimit64, [1, 7, 0, 0, 0, 0]),
        (libc::SYS_mknodat, [0, 0, 0o060_666, 0x800, 0, 0]),
        (libc::SYS_mknodat, [0, 0, 0o020_666, 0x101, 0, 0]),
    ];
    for (call, args) in refused {
        assert_eq!(native(call, args), EPERM, "call {call} {args:x?}");
    }
}

#[test]
fn what_an_older_kernel_lacks_is_answered_as_by_it() {
    let answered = [
        (libc::SYS_futex, [0x1000, 6, 0, 0, 0, 0], libc::ENOSYS),
        (libc::SYS_futex, [0x1000, 7 | 128, 0, 0, 0, 0], libc::ENOSYS),
        (
            libc::SYS_futex,
            [0x1000, 1 << 32 | 0xd, 0, 0, 0, 0],
            libc::ENOSYS,
        ),
        (libc::SYS_madvise, [0, 4096, 21, 0, 0, 0], libc::EINVAL),
        (libc::SYS_madvise, [0, 4096, 12, 0, 0, 0], libc::EINVAL),
        (
            libc::SYS_madvise,
            [0, 4096, 1 << 32 | 0x19, 0, 0, 0],
            libc::EINVAL,
        ),
        (libc::SYS_sendto, [3, 0x1000, 1, 1, 0, 0], libc::EOPNOTSUPP),
        (
            libc::SYS_recvfrom,
            [3, 0x1000, 1, 1, 0, 0],
            libc::EOPNOTSUPP,
        ),
        (libc::SYS_getsockopt, [3, 1, 77, 0, 0, 0], libc::ENOPROTOOPT),
        (libc::SYS_getsockopt, [3, 1, 17, 0, 0, 0], libc::ENOPROTOOPT),
        (libc::SYS_mmap, [0, 4096, 3, 0x4_0022, 0, 0], libc::ENOMEM),
        (libc::SYS_preadv2, [3, 0, 0, 0, 0, 8], libc::EOPNOTSUPP),
        (libc::SYS_fallocate, [3, 3, 0, 0, 0, 0], libc::EOPNOTSUPP),
    ];
    for (call, args, errno) in answered {
        let expected = REFUSAL | errno.cast_unsigned();
        assert_eq!(native(call, args), expected, "call {call} {args:x?}");
    }
}

#[test]
fn memory_becomes_code_where_it_may_and_files_do_not() {
    let filters = compile_cell(Memory::Code).unwrap();
    let code = |call, args| answer_of(&filters, call, ARCHITECTURES[0], args);
    for (call, args) in [
        (libc::SYS_mmap, [0, 4096, 7, 0x22, 0, 0]),
        (libc::SYS_mprotect, [0, 4096, 5, 0, 0, 0]),
    ] {
        assert_eq!(code(call, args), ALLOW);
        assert_eq!(native(call, args), EPERM);
    }
    // Of a file, writable and executable.
    assert_eq!(code(libc::SYS_mmap, [0, 4096, 7, 0x02, 3, 0]), EPERM);
    assert_eq!(code(libc::SYS_execve, [0; 6]), EPERM);
}

#[test]
fn another_architecture_ends_the_process() {
    for call in [0, 1, 11, 59, 102] {
        assert_eq!(answer(call, ARCHITECTURES[1], [0; 6]), KILL, "call {call}");
    }
}

#[test]
fn the_policy_compiles_and_is_not_large() {
    let filters = compile_cell(Memory::Data).unwrap();
    let errnos: BTreeSet<_> = rules::ANSWERS.iter().map(|answer| answer.errno).collect();
    assert_eq!(filters.len(), errnos.len() + 1);
    // BPF_MAXINSNS is 4096.
    assert!(filters.iter().map(Vec::len).sum::<usize>() < 2048);
}

#[test]
fn no_call_is_listed_twice() {
    let mut seen = BTreeSet::new();
    for rule in cell_rules() {
        assert!(seen.insert(rule.call), "call {} is listed twice", rule.call);
        assert!(!rule.why.is_empty());
    }
}

#[test]
fn what_is_answered_is_not_made() {
    for answer in rules::ANSWERS {
        assert!(!answer.why.is_empty());
        let alternatives = answer.when.alternatives();
        let tried: Vec<_> = match alternatives {
            [] => vec![[0; 6], [u64::MAX; 6]],
            some => some.iter().map(|it| meeting(it)).collect(),
        };
        for args in tried {
            let expected = REFUSAL | answer.errno.cast_unsigned();
            assert_eq!(native(answer.call, args), expected, "{answer:?}");
        }
    }
}

/// Arguments worth trying with a call: none, all, and what any rule speaks of, alone and turned.
fn samples(call: i64) -> Vec<[u64; 6]> {
    let mut samples = vec![[0; 6], [u64::MAX; 6]];
    let making = making(false).into_iter().chain(making(true)).flatten();
    let rules = cell_rules().chain(making);
    for rule in rules.filter(|rule| rule.call == call) {
        for alternative in rule.when.alternatives() {
            let args = meeting(alternative);
            samples.push(args);
            for arg in *alternative {
                let (Arg::Is(index, _)
                | Arg::Masked(index, ..)
                | Arg::Not(index, _)
                | Arg::Null(index)) = *arg;
                let index = usize::from(index);
                let mut alone = [0; 6];
                alone[index] = args[index] & 0xffff_ffff;
                samples.push(alone);
                for bit in 0..32 {
                    alone[index] ^= 1 << bit;
                    samples.push(alone);
                    alone[index] ^= 1 << bit;
                }
            }
        }
    }
    samples
}

#[test]
fn a_cell_may_do_the_same_whoever_made_it() {
    for memory in [Memory::Data, Memory::Code] {
        let own = compile_cell(memory).unwrap();
        for in_place in [false, true] {
            let mut inherited = compile_zygote(in_place, memory).unwrap();
            inherited.extend(compile_closing(in_place).unwrap());
            assert_same(&own, &inherited);
        }
    }
}

fn assert_same(own: &[BpfProgram], inherited: &[BpfProgram]) {
    for arch in ARCHITECTURES {
        for call in (-1..600).chain((0..600).map(|call| call | 0x4000_0000)) {
            for args in samples(call) {
                assert_eq!(
                    answer_of(inherited, call, arch, args),
                    answer_of(own, call, arch, args),
                    "call {call} {args:x?}"
                );
            }
        }
    }
}

#[test]
fn a_zygote_may_make_cells_and_nothing_else() {
    for in_place in [false, true] {
        assert_zygote(in_place, Memory::Data);
        assert_zygote(in_place, Memory::Code);
    }
    // Without namespaces, none may be tried.
    let filters = compile_zygote(true, Memory::Data).unwrap();
    for call in [libc::SYS_mount, libc::SYS_unshare, libc::SYS_sethostname] {
        assert_eq!(answer_of(&filters, call, ARCHITECTURES[0], [0; 6]), EPERM);
    }
    let args = [0x1000_0000, 0, 0, 0, 0, 0];
    let cloned = answer_of(&filters, libc::SYS_clone, ARCHITECTURES[0], args);
    assert_eq!(cloned, EPERM);
}

fn assert_zygote(in_place: bool, memory: Memory) {
    let filters = compile_zygote(in_place, memory).unwrap();
    let zygote = |call, args| answer_of(&filters, call, ARCHITECTURES[0], args);
    for rule in making(in_place).into_iter().flatten() {
        for args in rule.when.alternatives().iter().map(|it| meeting(it)) {
            assert_eq!(zygote(rule.call, args), ALLOW, "{rule:?}");
        }
    }
    for call in [
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_ptrace,
        libc::SYS_process_vm_writev,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_setns,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_setuid,
        libc::SYS_perf_event_open,
        libc::SYS_init_module,
    ] {
        assert_eq!(zygote(call, [0; 6]), EPERM, "call {call}");
    }
    assert_eq!(zygote(libc::SYS_prctl, [35, 0, 0, 0, 0, 0]), EPERM); // PR_SET_MM
}
