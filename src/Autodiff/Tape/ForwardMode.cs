using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Tangents along a tape: each application maps the tangents of its inputs to tangents of its results, by the rule
/// of its operator. Tangents are values like all others, so they have derivatives themselves.
/// </summary>
internal static class ForwardMode
{
    /// <summary>J·t for each output; null where an output does not depend on the inputs.</summary>
    public static Value?[] Run(
        Builder builder, IReadOnlyList<Application> tape, IReadOnlyList<(Value Value, Value Tangent)> seeds,
        IReadOnlyList<Value> outputs)
    {
        var tangents = new Dictionary<object, Value>();
        foreach (var (value, tangent) in seeds) tangents[value.Identity] = tangent;
        foreach (var application in tape)
        {
            var incoming = application.Inputs.Select(v => tangents.GetValueOrDefault(v.Identity)).ToArray();
            if (Array.TrueForAll(incoming, t => t is null)) continue;
            var given = new OpTangent(
                builder, application.Attributes, application.Inputs, application.Outputs, incoming);
            // A rule of the user is the gradient in both modes.
            var outgoing = GradientOverride.IsUsedFor(application.Op) ? given.Transpose(application.Op)
                : application.Op.Tangent(given);
            for (var i = 0; i < outgoing.Length; i++)
                if (outgoing[i] is { } tangent) tangents[application.Outputs[i].Identity] = tangent;
        }

        return [.. outputs.Select(v => tangents.GetValueOrDefault(v.Identity))];
    }
}
