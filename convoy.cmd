@echo off
rem Runs the command line of the project. The first call builds it; later calls start what was built.
set "PROGRAM=%~dp0src\Cli\bin\Release\net10.0\convoy.dll"
if not exist "%PROGRAM%" dotnet build "%~dp0src\Cli" -c Release -v q --nologo 1>&2 || exit /b 1
dotnet exec "%PROGRAM%" %*
