using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Convoy.Shared.Errors;

namespace Convoy.Shared;

/// <summary>A broken invariant is a bug of ours, never an operating error: it ends the actor that saw it.</summary>
public sealed class InvariantException(string message) : ConvoyException(ErrorCode.Invariant, message);

/// <summary>
/// Checks that stay on in Release. The text starts with the id of the invariant, such as <c>ST-1</c>.
/// </summary>
public static class Invariant
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check([DoesNotReturnIf(false)] bool holds, string idAndText)
    {
        if (!holds) Fail(idAndText);
    }

    [DoesNotReturn]
    public static void Fail(string idAndText) => throw new InvariantException(idAndText);

    public static InvariantException Unhandled(object message) =>
        new($"no handler for {message.GetType().Name}: every message and state pair is handled or ignored by name");
}
