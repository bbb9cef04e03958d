// While a run is under way the page is loaded again, so that its progress is seen; not while
// somebody reads in what a cell of the matrix has opened.
function again() {
  if (document.activeElement?.closest(".beside")) setTimeout(again, 2000);
  else location.reload();
}
if (document.querySelector("[data-running]")) setTimeout(again, 2000);
