namespace Convoy.Shared.Errors;

/// <summary>
/// What kind of thing went wrong. The numbers are written to logs and reports: never reused, never renamed.
/// </summary>
public enum ErrorCode
{
    /// <summary>A command, a job file or a name that a user gave.</summary>
    UserInput = 100,

    /// <summary>Shapes or attributes that do not fit an operator.</summary>
    ShapeMismatch = 200,
    /// <summary>An element type that an operator does not take.</summary>
    ElementType = 201,
    /// <summary>An einsum text that is not one, or does not fit its operands.</summary>
    EinsumSpec = 202,

    /// <summary>A graph that breaks a rule of the verifier.</summary>
    Graph = 300,
    /// <summary>Bytes that are not a graph.</summary>
    GraphFormat = 301,

    /// <summary>A gradient that cannot be taken: its history is gone, or was written over.</summary>
    Gradient = 400,

    NotANumber = 500,
    Infinite = 501,
    /// <summary>A number too large for its type.</summary>
    Overflow = 502,
    /// <summary>A number so small that digits were lost.</summary>
    Underflow = 503,
    DivideByZero = 504,

    OutOfMemory = 600,
    /// <summary>A device, or the library that drives it, is not on this machine.</summary>
    DeviceUnavailable = 601,
    /// <summary>A device refused to reserve memory.</summary>
    DeviceAllocation = 602,
    /// <summary>The threads or queues of a device lost step with each other.</summary>
    DeviceSync = 603,
    Disk = 604,
    /// <summary>Another process could not be reached, or stopped answering.</summary>
    Peer = 605,

    /// <summary>A failure while running that fits no other code.</summary>
    Execution = 700,
    Unsupported = 701,
    Cancelled = 702,
    /// <summary>A bug of ours: a rule that always holds did not.</summary>
    Invariant = 703,
}

/// <summary>
/// The family of all errors that Convoy itself raises: a code for programs, one line for people. What the runtime or
/// the system raises gets its code from <see cref="FailureClass"/>.
/// </summary>
public abstract class ConvoyException(ErrorCode code, string message, Exception? cause = null)
    : Exception(message, cause)
{
    public ErrorCode ErrorCode { get; } = code;
}

/// <summary>
/// A number that is not finite, too large, too small, or divided by zero, where policy says that this fails.
/// </summary>
public sealed class NumericalException(ErrorCode code, string message) : ConvoyException(code, message);

/// <summary>
/// Shapes, types or attributes that are none, or do not fit an operator. The message names the operator and the rule.
/// </summary>
public sealed class ShapeException(string message, ErrorCode code = ErrorCode.ShapeMismatch)
    : ConvoyException(code, message);

/// <summary>Something that this build, operator or transform does not do. A fallback may take its place.</summary>
public sealed class UnsupportedException(string message) : ConvoyException(ErrorCode.Unsupported, message);

/// <summary>Memory that a device did not give, with the size that was asked for.</summary>
public sealed class DeviceMemoryException(string message, Exception? cause = null)
    : ConvoyException(ErrorCode.DeviceAllocation, message, cause);
