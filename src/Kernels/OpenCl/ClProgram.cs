using System.Text;
using Convoy.Shared;

namespace Convoy.Kernels.OpenCl;

/// <summary>The programs of Conv2d.cl for one element type, built for a device.</summary>
internal sealed unsafe class ClProgram : IDisposable
{
    private const uint BuildLog = 0x1183;
    private readonly nint _program;

    public ClProgram(ClSession session, bool isWide)
    {
        var text = Source();
        var length = (nuint)text.Length;
        int error;
        fixed (byte* first = text)
        {
            var texts = first;
            _program = Cl.clCreateProgramWithSource(session.Context, 1, &texts, &length, &error);
        }

        session.Check(error, "clCreateProgramWithSource");
        var device = session.Device;
        var options = ConvTiles.BuildOptions + (isWide ? " -D WIDE" : "");
        var code = Cl.clBuildProgram(_program, 1, &device, options, null, null);
        if (code != 0)
        {
            var log = Log(device);
            Cl.clReleaseProgram(_program);
            throw new UserException(ExitCode.Accelerator,
                $"accelerator {session.Name}: its compiler refused the programs ({ClCode.NameOf(code)}): {log}; update its "
                + "driver, or use accelerator: none");
        }

        Correlate = Kernel(session, "correlate");
        Weigh = Kernel(session, "weigh");
        Add = Kernel(session, "add");
    }

    public nint Correlate { get; }

    public nint Weigh { get; }

    public nint Add { get; }

    public void Dispose()
    {
        foreach (var kernel in (ReadOnlySpan<nint>)[Correlate, Weigh, Add]) Cl.clReleaseKernel(kernel);
        Cl.clReleaseProgram(_program);
    }

    private static byte[] Source()
    {
        using var stream = typeof(ClProgram).Assembly.GetManifestResourceStream("Conv2d.cl")!;
        var text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }

    private nint Kernel(ClSession session, string name)
    {
        int error;
        var kernel = Cl.clCreateKernel(_program, name, &error);
        session.Check(error, $"clCreateKernel {name}");
        return kernel;
    }

    // Its first line that says something.
    private string Log(nint device)
    {
        nuint size = 0;
        if (Cl.clGetProgramBuildInfo(_program, device, BuildLog, 0, null, &size) != 0 || size == 0) return "no log";
        var text = new byte[size];
        fixed (byte* to = text)
            if (Cl.clGetProgramBuildInfo(_program, device, BuildLog, size, to, null) != 0) return "no log";
        var lines = Encoding.UTF8.GetString(text).Split('\n', '\r', '\0');
        return lines.FirstOrDefault(line => line.Contains("error", StringComparison.OrdinalIgnoreCase))?.Trim()
            ?? lines.FirstOrDefault(line => line.Trim().Length > 0)?.Trim() ?? "no log";
    }
}
