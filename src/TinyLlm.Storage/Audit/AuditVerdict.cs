namespace TinyLlm.Storage;

/// <summary>What a verification came to.</summary>
/// <param name="Fault">What is wrong, if anything.</param>
/// <param name="Line">1 for the first entry's line: where the fault was found; after the last line for one that concerns the end.</param>
/// <param name="Head">Without a fault, the head that the verifier should hold from now on.</param>
public sealed record AuditVerdict(AuditFault Fault, long Line, AuditHead Head);
