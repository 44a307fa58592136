namespace TinyLlm.EndToEnd.Tests.Attacks;

/// <summary>One thing that attackers try.</summary>
/// <param name="Name">What.</param>
/// <param name="RunAsync">Tries it, and asserts that it is refused as it should be. Leaves nothing behind.</param>
internal sealed record Attack(string Name, Func<AttackGround, Task> RunAsync);
