using System.Globalization;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes.Rewriting;

/// <summary>Reads rules that are written as text.</summary>
internal sealed class RuleReader
{
    private const string Arrow = "=>";
    private readonly string _text;
    private int _at;

    private RuleReader(string text)
    {
        _text = text;
    }

    public static RewriteRule Read(string text, string name)
    {
        var reader = new RuleReader(text);
        var left = reader.Expression();
        reader.Expect(Arrow);
        var start = reader._at;
        var right = reader.Expression();
        if (reader.Peek() != '\0') throw reader.Wrong("the rule ends here, something follows");
        if (left.Op is null) throw reader.Wrong("the left side is no operator, so it would fit everywhere", 0);
        if (right.Names().Except(left.Names()).FirstOrDefault() is { } unknown)
            throw reader.Wrong($"{unknown} is not on the left side", start);
        return new RewriteRule(name, left.Pattern(), right.Build);
    }

    private Term Expression()
    {
        var start = Skip();
        if (Peek() is '-' or '.' or (>= '0' and <= '9')) return new Term(null, null, NumberHere(), []);
        var word = Word();
        if (Peek() != '(') return new Term(word, null, 0, []);
        var op = OpTable.Find(word) ?? throw Wrong($"there is no operator {word}", start);
        if (op is LeafOp) throw Wrong($"{word} is no function of operands", start);
        _at++;
        var operands = new List<Term> { Expression() };
        while (Peek() == ',')
        {
            _at++;
            operands.Add(Expression());
        }

        Expect(")");
        return new Term(null, op, 0, [.. operands]);
    }

    private string Word()
    {
        var start = Skip();
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '-' or '_')) _at++;
        return _at > start ? _text[start.._at] : throw Wrong("a variable, an operator or a number belongs here");
    }

    private double NumberHere()
    {
        var start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '-' or '.' or '+')) _at++;
        return double.TryParse(_text.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture,
            out var number) ? number : throw Wrong("this is no number", start);
    }

    private int Skip()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at])) _at++;
        return _at;
    }

    private char Peek() => Skip() < _text.Length ? _text[_at] : '\0';

    private void Expect(string what)
    {
        Skip();
        if (!_text.AsSpan(_at).StartsWith(what, StringComparison.Ordinal)) throw Wrong($"{what} belongs here");
        _at += what.Length;
    }

    private GraphException Wrong(string rule, int? at = null) => new(
        $"rule \"{_text}\", character {(at ?? Math.Min(_at, _text.Length)) + 1}: {rule}");

    private sealed record Term(string? Variable, Op? Op, double Number, Term[] Operands)
    {
        public IEnumerable<string> Names() =>
            Variable is not null ? [Variable] : Operands.SelectMany(o => o.Names());

        public Pattern Pattern() => Variable is not null ? Rewriting.Pattern.Any(Variable)
            : Op is null ? Rewriting.Pattern.Constant(Number)
            : Rewriting.Pattern.Plain(Op, [.. Operands.Select(o => o.Pattern())]);

        // A number gets the shape of what it stands for, or of nothing inside an expression: it is repeated there.
        public Value? Build(RewriteMatch m)
        {
            try
            {
                return Op is null && Variable is null ? m.Full(Number) : Inner(m);
            }
            catch (ShapeException)
            {
                // Operands were repeated on the left side; the right side's operators do not take them.
                return null;
            }
        }

        private Value Inner(RewriteMatch m) => Variable is not null ? m[Variable]
            : Op is null ? m.Graph.Builder.Full(Number, m.Type.With())
            : m.Graph.Builder.Apply(Op, Attributes.None, [.. Operands.Select(o => o.Inner(m))])[0];
    }
}
