using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// The operators that were at work when an exception was thrown, innermost first. They are noted while the exception
/// looks for its handler, so an application that goes well pays nothing.
/// </summary>
public static class OperatorStack
{
    private const string Key = "convoy.operators";
    private const int FramesMax = 32;

    /// <summary>Names and operand shapes of the operators, innermost first, 32 at most; empty where no operator was
    /// at work.</summary>
    public static IReadOnlyList<string> Of(Exception failure) =>
        failure.Data[Key] as IReadOnlyList<string> ?? (failure.InnerException is { } cause ? Of(cause) : []);

    /// <summary>For an exception filter: notes the operator and never handles the exception.</summary>
    internal static bool Note(Exception failure, Op op, ReadOnlySpan<Value> inputs)
    {
        var shapes = new string[inputs.Length];
        for (var i = 0; i < shapes.Length; i++) shapes[i] = inputs[i].Type.Text;
        return Note(failure, $"{op.Name}({string.Join(", ", shapes)})");
    }

    internal static bool Note(Exception failure, string frame)
    {
        if (failure.Data[Key] is not List<string> frames) failure.Data[Key] = frames = [];
        if (frames.Count < FramesMax) frames.Add(frame);
        return false;
    }

    /// <summary>An exception that takes the place of another keeps its operators.</summary>
    internal static T Carry<T>(Exception from, T to) where T : ConvoyException
    {
        if (from.Data[Key] is { } frames) to.Data[Key] = frames;
        return to;
    }
}
