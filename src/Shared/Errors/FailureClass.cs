using System.Net.Sockets;

namespace Convoy.Shared.Errors;

/// <summary>What a failure says about the next try.</summary>
public enum FailureNature
{
    /// <summary>The same again may work: a peer, a disk or memory was short for a moment.</summary>
    Transient,
    /// <summary>The same again fails again: numbers, shapes, formats, what this machine does not have.</summary>
    Permanent,
    /// <summary>Someone has to change what they asked for.</summary>
    UserError,
    /// <summary>Ours to repair.</summary>
    Bug,
    /// <summary>Someone asked for the end.</summary>
    Wanted,
}

/// <summary>Code and nature of a failure, from the exception that is its root.</summary>
public sealed record FailureVerdict(ErrorCode Code, FailureNature Nature, Exception Root);

/// <summary>One table from exceptions to codes, and one from codes to natures.</summary>
public static class FailureClass
{
    public static FailureVerdict Of(Exception failure)
    {
        var root = RootOf(failure);
        var code = CodeOf(root);
        return new FailureVerdict(code, NatureOf(code), root);
    }

    /// <summary>
    /// A process that ended with this exit code is worth another start: what it was given is not what was wrong, the
    /// job that it was of is not over, and the disk or accelerator that it shares with the next can be used.
    /// </summary>
    public static bool IsWorthARestart(int exitCode) => exitCode is not (
        (int)ExitCode.Usage or (int)ExitCode.BadJob or (int)ExitCode.BadData or (int)ExitCode.BadCheckpoint
        or (int)ExitCode.JobFailed or (int)ExitCode.Storage or (int)ExitCode.Accelerator);

    /// <summary>The innermost cause that has a code of its own; of several at once, the first.</summary>
    public static Exception RootOf(Exception failure)
    {
        while (true)
        {
            if (failure is ConvoyException { InnerException: null } || failure.InnerException is null) return failure;
            failure = failure is AggregateException many ? many.InnerExceptions[0] : failure.InnerException;
        }
    }

    public static ErrorCode CodeOf(Exception failure) => failure switch
    {
        ConvoyException ours => ours.ErrorCode,
        OperationCanceledException => ErrorCode.Cancelled,
        OutOfMemoryException or InsufficientExecutionStackException => ErrorCode.OutOfMemory,
        DivideByZeroException => ErrorCode.DivideByZero,
        OverflowException => ErrorCode.Overflow,
        SocketException or TimeoutException => ErrorCode.Peer,
        IOException { InnerException: SocketException } => ErrorCode.Peer,
        IOException or UnauthorizedAccessException => ErrorCode.Disk,
        DllNotFoundException or PlatformNotSupportedException => ErrorCode.DeviceUnavailable,
        SynchronizationLockException or BarrierPostPhaseException => ErrorCode.DeviceSync,
        NotSupportedException or NotImplementedException => ErrorCode.Unsupported,
        _ => ErrorCode.Execution,
    };

    public static FailureNature NatureOf(ErrorCode code) => code switch
    {
        ErrorCode.Peer or ErrorCode.Disk or ErrorCode.OutOfMemory or ErrorCode.DeviceAllocation
            or ErrorCode.DeviceSync =>
            FailureNature.Transient,
        ErrorCode.UserInput => FailureNature.UserError,
        ErrorCode.Cancelled => FailureNature.Wanted,
        ErrorCode.Invariant or ErrorCode.Execution => FailureNature.Bug,
        _ => FailureNature.Permanent,
    };
}
