namespace Convoy.Autodiff.Ops;

// y = ln |z| + i angle(z), the principal value        z, y of one shape
internal sealed class ComplexLog() : ComplexOp(1)
{
    public override string Name => "complex-log";

    private protected override Value[] Formula(ComplexValue[] z) => Parts(z[0].Abs().Log(), z[0].Angle());
}
