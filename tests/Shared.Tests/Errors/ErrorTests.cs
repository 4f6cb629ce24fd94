using System.Net.Sockets;
using Convoy.Shared.Errors;

namespace Convoy.Shared.Tests.Errors;

/// <summary>ERR-01, ERR-02, ERR-05: codes, findings, natures of failures, and what is tried after one.</summary>
public sealed class ErrorTests
{
    [Fact]
    public void EveryErrorOfOurs_HasACode()
    {
        Assert.Equal(ErrorCode.UserInput, FailureClass.CodeOf(new UserException(ExitCode.BadJob, "job")));
        Assert.Equal(ErrorCode.Invariant, FailureClass.CodeOf(new InvariantException("ST-1")));
        Assert.Equal(ErrorCode.Unsupported, FailureClass.CodeOf(new UnsupportedException("no")));
        Assert.Equal(ErrorCode.DeviceAllocation, FailureClass.CodeOf(new DeviceMemoryException("much")));
    }

    public static TheoryData<Exception, ErrorCode, FailureNature> Natures() => new()
    {
        { new SocketException(10054), ErrorCode.Peer, FailureNature.Transient },
        { new IOException("reset", new SocketException(10054)), ErrorCode.Peer, FailureNature.Transient },
        { new TimeoutException(), ErrorCode.Peer, FailureNature.Transient },
        { new IOException("disk full"), ErrorCode.Disk, FailureNature.Transient },
        { new OutOfMemoryException(), ErrorCode.OutOfMemory, FailureNature.Transient },
        { new DllNotFoundException("cuda"), ErrorCode.DeviceUnavailable, FailureNature.Permanent },
        { new SynchronizationLockException(), ErrorCode.DeviceSync, FailureNature.Transient },
        { new DivideByZeroException(), ErrorCode.DivideByZero, FailureNature.Permanent },
        { new OverflowException(), ErrorCode.Overflow, FailureNature.Permanent },
        { new TaskCanceledException(), ErrorCode.Cancelled, FailureNature.Wanted },
        { new UserException(ExitCode.BadData, "data"), ErrorCode.UserInput, FailureNature.UserError },
        { new InvalidOperationException(), ErrorCode.Execution, FailureNature.Bug },
    };

    [Theory]
    [MemberData(nameof(Natures))]
    public void Failures_AreClassified(Exception failure, ErrorCode code, FailureNature nature)
    {
        foreach (var shown in new[] { failure, new AggregateException(failure),
            new InvalidOperationException("outer", failure) })
        {
            var verdict = FailureClass.Of(shown);
            Assert.Equal((code, nature), (verdict.Code, verdict.Nature));
        }
    }

    [Fact]
    public void AWorkerIsStartedAgain_UnlessWhatItWasGivenIsWrong()
    {
        Assert.True(FailureClass.IsWorthARestart((int)ExitCode.Failed));
        Assert.True(FailureClass.IsWorthARestart(137));
        Assert.False(FailureClass.IsWorthARestart((int)ExitCode.BadJob));
        Assert.False(FailureClass.IsWorthARestart((int)ExitCode.BadCheckpoint));
        Assert.False(FailureClass.IsWorthARestart((int)ExitCode.Storage));
        Assert.False(FailureClass.IsWorthARestart((int)ExitCode.Accelerator));
    }

    [Fact]
    public void Diagnostics_CollectAndThrowTogether()
    {
        var list = new DiagnosticList(diagnosticsMax: 3);
        list.Add(Diagnostic.Performance("linear_4", "8 rows", "take a larger batch"));
        list.Add(Diagnostic.Memory("x", 100 << 20, 1 << 30, ""));
        Assert.Equal((0, 1, 1), (list.Count(Severity.Error), list.Count(Severity.Warning), list.Count(Severity.Note)));
        list.ThrowIfErrors("model");
        for (var i = 0; i < 2; i++)
            list.Add(Diagnostic.Shape("matmul_7", ["[2, 3]", "[4, 5]"], "inner sizes differ", "transpose one"));
        list.Add(Diagnostic.Type("gather", "float32", "int32"));
        Assert.Equal((3, 1), (list.Found.Count, list.Dropped));
        Assert.Equal(
            "error ShapeMismatch: matmul_7: inner sizes differ (operands [2, 3], [4, 5]). transpose one (2 times)",
            list.Lines().First());
        var thrown = Assert.Throws<DiagnosticException>(() => list.ThrowIfErrors("model"));
        Assert.Equal(ErrorCode.ShapeMismatch, thrown.ErrorCode);
        Assert.StartsWith("model: 1 errors: matmul_7", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(600L << 20, Severity.Warning)]
    [InlineData(2048L << 20, Severity.Error)]
    public void MemoryFindings_GrowWithTheNeed(long bytes, Severity severity) =>
        Assert.Equal(severity, Diagnostic.Memory("plan", bytes, 1 << 30, "").Severity);

    [Fact]
    public void OutOfMemory_IsTriedInSmallerPieces()
    {
        var policy = new RecoveryPolicy(new RecoveryOptions());
        var (result, decisions) = RecoveryLoop.Run(
            policy, d => d.Pieces >= 4 ? d.Pieces : throw new OutOfMemoryException(),
            _ => Assert.Fail("no wait helps"));
        Assert.Equal(4, result);
        Assert.Equal([2, 4], decisions.Select(d => d.Pieces));
        Assert.Equal((1, 1), policy.Outcome(ErrorCode.OutOfMemory, RecoveryAction.RetrySmaller));
    }

    [Fact] // FT-04
    public void APeer_IsGivenTime_ThatDoubles_AndThenUp()
    {
        var waits = new List<int>();
        var policy = new RecoveryPolicy(new RecoveryOptions(AttemptsMax: 3, DelayMs: 100, DelayMsMax: 250));
        var thrown = Assert.Throws<TimeoutException>(
            () => RecoveryLoop.Run<int>(policy, _ => throw new TimeoutException("w3"), waits.Add));
        Assert.Equal("w3", thrown.Message);
        Assert.Equal([100, 200, 250], waits);
    }

    [Fact]
    public void WhatIsPermanent_IsNotTriedAgain()
    {
        var calls = 0;
        Assert.Throws<UserException>(() => RecoveryLoop.Run<int>(
            new RecoveryPolicy(new RecoveryOptions()),
            _ =>
            {
                calls++;
                throw new UserException(ExitCode.BadJob, "no such key");
            },
            _ => { }));
        Assert.Equal(1, calls);
    }

    [Fact]
    public void WhatDidNotHelp_ComesLater()
    {
        var policy = new RecoveryPolicy(new RecoveryOptions());
        var memory = FailureClass.Of(new OutOfMemoryException());
        Assert.Equal(RecoveryAction.RetrySmaller, policy.Decide(memory, []).Action);
        policy.Learn(ErrorCode.OutOfMemory, RecoveryAction.RetrySmaller, helped: false);
        Assert.Equal(RecoveryAction.RetryLater, policy.Decide(memory, []).Action);
        for (var i = 0; i < 3; i++) policy.Learn(ErrorCode.OutOfMemory, RecoveryAction.RetrySmaller, helped: true);
        Assert.Equal(RecoveryAction.RetrySmaller, policy.Decide(memory, []).Action);
    }
}
