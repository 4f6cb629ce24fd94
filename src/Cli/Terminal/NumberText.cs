using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Convoy.Cli.Terminal;

/// <summary>
/// Numbers of the command line. What is none is said in words of the command, where the parser would name a type of
/// .NET; in every culture a number is written the same way.
/// </summary>
internal static class NumberText
{
    /// <summary>Reads all numbers of a command this way.</summary>
    public static void ReadIn(Command command)
    {
        foreach (var option in command.Options)
        {
            switch (option)
            {
                case Option<int> o: o.CustomParser = Whole<int>; break;
                case Option<int?> o: o.CustomParser = r => Whole<int>(r); break;
                case Option<long?> o: o.CustomParser = r => Whole<long>(r); break;
                case Option<ulong?> o: o.CustomParser = r => Whole<ulong>(r); break;
                case Option<double> o: o.CustomParser = Number; break;
            }
        }

        foreach (var argument in command.Arguments.OfType<Argument<int>>()) argument.CustomParser = Whole<int>;
    }

    private static T Whole<T>(ArgumentResult result) where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var text = result.Tokens[0].Value;
        if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return value;
        var isWhole = BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
        result.AddError(isWhole
            ? $"{NameOf(result)} {text} is not within {T.MinValue} to {T.MaxValue}."
            : $"{NameOf(result)} {text} is not a whole number.");
        return default;
    }

    private static double Number(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && double.IsFinite(value))
            return value;
        result.AddError($"{NameOf(result)} {text} is not a number.");
        return default;
    }

    private static string NameOf(ArgumentResult result) =>
        result.Parent is OptionResult option ? option.Option.Name : result.Argument.Name;
}
